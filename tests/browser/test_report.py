"""The report in a real browser: access, widths, folded parts, print."""

import base64
from pathlib import Path

import pytest
from axe import faults
from tiny_page import write_page
from tiny_report import Study


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Pages by number of studies."""
    studies = Study(), Study("more")
    return {
        number: write_page(tmp_path_factory.mktemp("page"), *studies[:number])
        for number in (1, 2)
    }


def opened(browser, page, state="", width=1280):
    """Open a page at a width. Its own rules forbid scripts, so they are put aside."""
    browser.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    browser.size(width, 900)
    browser.open(page, state, waits=False)


@pytest.mark.parametrize("studies", [1, 2])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (400, False)])
def test_no_fault_of_access_and_no_line_too_wide(browser, pages, studies, width, dark):
    if dark:
        browser.dark()
    opened(browser, pages[studies], width=width)
    for unfolded in (False, True):
        if unfolded:
            browser.script(
                "document.querySelectorAll('details').forEach((one) => one.open = true)"
            )
        assert faults(browser) == []
        assert browser.script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("studies", "place"),
    [(1, "tiny/data/probing"), (2, "probing"), (2, "tiny/more/probing")],
)
def test_a_link_opens_the_folded_part(browser, pages, studies, place):
    opened(browser, pages[studies])
    seen = "return document.getElementById(arguments[0]).checkVisibility()"
    assert not browser.script(seen, place)
    browser.script("location.hash = arguments[0]", place)
    browser.wait(lambda: browser.script(seen, place))
    top = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
    browser.wait(lambda: -5 < browser.script(top, place) < 400)


def test_print_shows_folded_parts_on_white(browser, pages):
    opened(browser, pages[2])
    sizes = []
    for parts in ("", "main details { display: none; }"):
        browser.script(
            "document.head.append(Object.assign(document.createElement('style'), "
            "{textContent: arguments[0]}))",
            parts,
        )
        pdf = browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"]
        sizes.append(base64.b64decode(pdf).count(b"/Type /Page\n"))
    assert sizes[0] > 2 * sizes[1] > 0
