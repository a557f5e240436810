"""The explorer in a real browser: from disk, and from the loopback server."""

import pytest
from axe import faults
from selenium.webdriver import ActionChains
from tiny_explorer import HOSTILE, LONG

FIRST = "#/thought/first~%3Cb%3Eset%3C~b%3E/"
MARKED = FIRST + "00002~0//texts/8"
TWO = FIRST + "00002~0//rules|second~set/00002~0"


@pytest.fixture(params=["disk", "server"])
def page(request, made_up):
    """The page's address, in both ways."""
    if request.param == "disk":
        return made_up / "index.html"
    return request.getfixturevalue("address")


def rows(browser):
    return [row.text.split("\n")[0] for row in browser.all("tr[data-row]")]


def test_the_list_is_searched_and_filtered(browser, page):
    browser.open(page)
    assert browser.text(".count") == "1,322 of 1,322 thoughts"
    assert 10 < len(browser.all("tr[data-row]")) < 100
    browser.one("input[type=search]").send_keys('"has 77 pens')
    browser.wait(lambda: browser.text(".count") == "1 of 1,322 thoughts")
    assert "00077/0" in browser.text("tr[data-row]")
    browser.click(".filters button")
    browser.wait(lambda: browser.text(".count").startswith("1,322 of"))
    browser.one("select[name=outcome]").send_keys("wrong")
    browser.wait(lambda: not browser.text(".count").startswith("1,322 of"))
    assert browser.text(".count") == "263 of 1,322 thoughts"
    assert all("wrong" in row.text for row in browser.all("tr[data-row]")[:5])
    browser.one("select[name=study]").send_keys("second/set")
    browser.wait(lambda: browser.text(".count").startswith("0 of"))


def test_the_list_is_sorted_and_scrolled(browser, page):
    browser.open(page)
    browser.click("th.tokens button")
    browser.click("th.tokens button")
    browser.wait(lambda: "00001/0" in browser.text("tr[data-row='0']"))
    assert browser.one("th.tokens").get_attribute("aria-sort") == "descending"
    browser.script("document.querySelector('.list-box').scrollTop = 1e6")
    browser.wait(lambda: browser.all("tr[data-row='1321']"))


def test_keys_open_a_thought_and_lead_back(browser, page):
    browser.open(page)
    browser.press("j", "j", "Enter")
    browser.wait_for(FIRST + "00002~0")
    assert "00002/0" in browser.text("h2")
    browser.press("j")
    browser.wait_for(FIRST + "00002~0/0")
    browser.press("]")
    browser.wait_for(FIRST + "00003~0")
    browser.driver.back()
    browser.wait_for(FIRST + "00002~0/0")
    browser.press("u")
    browser.wait_for("#/list")
    assert browser.all("tr[data-row]")


def test_every_state_is_in_the_address(browser, page):
    browser.open(page, FIRST + "00002~0/1/prompt")
    chosen = browser.one(".event[aria-pressed=true]").text
    assert chosen == "arrival 2 at 19"
    assert browser.one(".t.chosen").text == "19"
    assert "Tom has 12 pens" in browser.text(".panel")
    browser.open(page, "#/list?q=%22has+9+pens%22&outcome=right&sort=tokens%3Adown")
    assert browser.one("input[type=search]").get_property("value") == '"has 9 pens"'
    browser.open(page, "#/list?tokens-min=1000")
    assert browser.text(".count") == "2 of 1,322 thoughts"


def test_hover_and_click_on_tokens_and_events(browser, page):
    browser.open(page, FIRST + "00002~0")
    token = browser.all(".text [data-k]")[3]

    ActionChains(browser.driver).move_to_element(token).perform()
    browser.wait(lambda: browser.one("#tip").is_displayed())
    prompt = len(browser.script("return explorer.pane().thought.prompt_offsets"))
    assert browser.text("#tip").startswith(f"token {prompt + 3} of the trace")
    browser.click(".t.backtrack")
    browser.wait(lambda: browser.all(".event.backtrack[aria-pressed=true]"))
    assert browser.script("return location.hash") == FIRST + "00002~0/2"


def test_foreign_text_is_text(browser, page):
    browser.open(page, FIRST + "00000~0")
    shown = browser.text(".text")
    expected = HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\u202c", "⟨U+202C⟩")
    assert shown == expected
    assert browser.driver.title == "00000/0 · doubletake explorer"
    assert not browser.all("#main script, #main img, #main b:not(.fact > b)")
    marked = [node.text for node in browser.all(".t.arrival")]
    assert "".join(marked) == "1919"
    browser.go("#/list")
    assert "7 <b>more</b>" in browser.text("tr[data-row]")


def test_a_long_thought_is_drawn_in_windows(browser, page):
    browser.open(page, FIRST + "00001~0")
    tokens = browser.script("return explorer.pane().thought.offsets.length")
    assert tokens >= LONG
    browser.wait(lambda: browser.all(".text [data-k]"))
    assert len(browser.all(".text [data-k]")) < tokens / 4
    browser.script("explorer.pane().jump(arguments[0])", tokens - 5)
    browser.wait(lambda: browser.all(f"[data-k='{tokens - 5}']"))
    last = browser.one(f"[data-k='{tokens - 5}']")
    browser.wait(lambda: "flash" in last.get_attribute("class"))
    box, place = browser.one(".text").rect, last.rect
    assert box["y"] <= place["y"] <= box["y"] + box["height"]


def test_two_studies_stand_side_by_side(browser, page):
    browser.open(page, FIRST + "00002~0")
    buttons = {button.text: button for button in browser.all(".toolbar button")}
    buttons["compare with another"].click()
    browser.wait(lambda: "beside 00002/0" in browser.text("#main"))
    browser.one("select[name=study]").send_keys("second/set")
    browser.wait(lambda: browser.text(".count").startswith("3 of"))
    browser.click("tr[data-row='0'] a")
    browser.wait(lambda: len(browser.all(".pane")) == 2)
    heads = [head.text for head in browser.all(".pane h2")]
    assert heads == ["first/<b>set</b> · 00002/0", "second/set · 00000/0"]
    assert browser.script("return location.hash").count("|") == 1


def test_an_unknown_thought_is_named(browser, page):
    browser.open(page, "#/list")
    browser.script("location.hash = '#/thought/second~set/00099~0'")
    browser.wait(lambda: browser.all(".error"))
    message = "There is no thought 00099/0 in study second/set."
    assert browser.text(".error") == message


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_fault_of_access(browser, made_up, width, dark):
    if dark:
        browser.dark()
    browser.size(width, 900)
    for state in ("#/list", FIRST + "00002~0/1/prompt", FIRST + "00000~0", MARKED, TWO):
        browser.open(made_up / "index.html", state)
        assert faults(browser) == []
        wide = browser.script("return document.documentElement.scrollWidth")
        assert wide <= width
