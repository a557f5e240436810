"""The explorer of studies that lack tables."""

THOUGHT = "#/thought/{}~set/00002~0"


def tabs(browser):
    return [tab.text for tab in browser.all("[role=tab]")]


def test_views_that_are_not_made_are_absent(browser, partial):
    browser.open(partial / "some/index.html", THOUGHT.format(0) + "//texts")
    assert tabs(browser) == ["exits", "other texts", "prompt"]
    assert len(browser.all(".text .place")) == 2
    changes = [row.text for row in browser.all(".sheet tbody tr")]
    assert changes[0].startswith("early result 19 <i>17</i>")
    browser.go(THOUGHT.format(1) + "//texts")
    assert tabs(browser) == ["prompt"]
    assert not browser.all(".text .place")
    assert "Tom has 12 pens" in browser.text(".panel")


def test_filters_say_what_they_know(browser, partial):
    sure = "[aria-label^='sure at exit 1']"
    browser.open(partial / "some/index.html", "#/list?sure-min=1")
    label = browser.one(".range" + sure).text
    assert label.startswith("sure at exit 1, % (in 1 of 2 studies)")
    assert browser.text(".count") == "0 of 8 thoughts"
    assert browser.all("th.first_logprob")
    browser.open(partial / "none/index.html", "#/list?sure-min=1&sort=first_logprob")
    assert browser.text(".count") == "8 of 8 thoughts"
    assert not browser.all(sure)
    assert not browser.all("th.first_logprob, td.first_logprob")
    assert len(browser.all("tr[data-row]")) == 8
