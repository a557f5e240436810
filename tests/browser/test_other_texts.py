"""Marks in a thought where it was changed or written again, and the texts."""

from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

THOUGHT = "#/thought/first~%3Cb%3Eset%3C~b%3E/00002~0"
TEXTS = THOUGHT + "//texts"


def marks(browser):
    """Kind of every mark in the text, with the text before it."""
    script = """
    return [...document.querySelectorAll('.text .place')].map((mark) => {
      let before = '', node = mark;
      while ((node = node.previousSibling)) before = node.textContent + before;
      return [mark.classList[1], before];
    })"""
    return [tuple(mark) for mark in browser.script(script)]


def opened(browser):
    """Summaries of the texts that are open."""
    return [node.text for node in browser.all("details[open] > summary")]


def test_the_text_marks_every_change(browser, made_up):
    browser.open(made_up / "index.html", THOUGHT + "//prompt")
    plain = browser.text(".text")
    assert not browser.all(".text .place, .text .edited")
    browser.go(TEXTS)
    assert browser.text(".text") == plain
    assert marks(browser) == [
        ("edit", "12 + 7 = 19"),
        ("edit", "12 + 7 = 19."),  # beside it, the thought goes on from here
        ("parts", "12 + 7 = 19. So it is 19."),
    ]
    assert [node.text for node in browser.all(".text .edited")] == ["19"]


def test_a_mark_says_its_changes_and_opens_their_texts(browser, made_up):
    browser.open(made_up / "index.html", TEXTS)
    number, *_ = browser.all(".text .place")
    ActionChains(browser.driver).move_to_element(number).perform()
    browser.wait(lambda: browser.one("#tip").is_displayed())
    assert browser.text("#tip") == "changed: result: 19 → <i>17</i>, early"
    number.click()
    browser.wait(lambda: opened(browser))
    assert len(opened(browser)) == 1
    assert "noticed" in opened(browser)[0]
    text = browser.one("details[open] .other-text")
    assert text.text == "12 + 7 = 19 <i>17</i>.\ngoes on: After result."
    assert [mark.text for mark in browser.all("details[open] mark")] == ["<i>17</i>"]
    state = browser.script("return location.hash")
    browser.open(made_up / "index.html", state)
    assert len(opened(browser)) == 1
    assert browser.all(".text .place.edit.chosen")


def test_texts_show_where_they_part(browser, made_up):
    browser.open(made_up / "index.html", TEXTS)
    browser.all(".text .place")[1].click()
    browser.wait(lambda: browser.all("details.chosen"))
    for folded in browser.all("details.chosen:not([open]) summary"):
        folded.click()
    browser.wait(lambda: len(browser.all("details[open] mark")) == 4)
    found = [node.text for node in browser.all("details[open] mark")]
    assert found == ["That was easy.", "<", "W", "H"]
    assert not browser.all(".panel b i, .panel mark i")
    browser.all(".text .place")[2].click()
    browser.wait(lambda: len(opened(browser)) == 1)
    text = browser.text("details[open] .other-text")
    assert text.startswith("12 + 7 = 19. So it is 19. Hmm")
    assert browser.text("details[open] mark") == "H"
    summaries = browser.all("summary")
    same = [node for node in summaries if node.text.startswith("steered: ")]
    same[0].click()
    browser.wait(lambda: "all of it as in the thought" in browser.text(".panel"))


def test_texts_of_all_interventions_stand_at_their_place(browser, made_up):
    browser.open(made_up / "index.html", TEXTS)
    browser.all(".text .place")[1].click()
    browser.wait(lambda: browser.all("details.chosen"))
    found = [node.text for node in browser.all("details.chosen summary")]
    assert [text.split(":")[0] for text in found] == [
        *("changed", "continued", "continued", "steered from here"),
        *("ablated", "injected"),
    ]
    assert "probe/every/project, random set 3" in found[4]
    browser.all("details.chosen summary")[5].click()
    browser.wait(lambda: browser.all("details[open] table"))
    rows = [row.text for row in browser.all("details[open] tbody tr")]
    assert [row.split()[0] for row in rows] == ["unsteered", "ward"]


def test_rules_stop_in_the_replay_and_while_decoding(browser, made_up):
    browser.open(made_up / "index.html", THOUGHT + "//rules")
    (stop,) = browser.all(".text .stop")
    assert stop.get_attribute("title") == "cue_1, cue_1 while decoding"
    rows = [row.text for row in browser.all(".sheet tbody tr")]
    assert rows[1].startswith("cue_1 sampled 8 8 20 yes nothing 19 yes")
    assert rows[2] == "cue_1 greedy 5 8 90 yes token at 4 – –"


def test_marks_are_reached_by_keys(browser, made_up):
    browser.open(made_up / "index.html", TEXTS)
    browser.script("document.querySelector('.text').focus()")
    ActionChains(browser.driver).send_keys(Keys.TAB).perform()
    browser.wait(lambda: browser.text("#tip").startswith("changed: result"))
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.wait(lambda: len(opened(browser)) == 1)
