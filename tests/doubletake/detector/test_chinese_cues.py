"""Turns in Chinese, and after bullets and emoji.

The Chinese thoughts below were written for these tests; they are no measurement.
"""

import pytest

from doubletake.detector.rules_detector import detect

QUESTION = "奥马尔有4箱甜瓜，每箱9个，卖掉11个。还剩多少个？"
FIRST = "4箱，每箱9个，一共4×9=36个。卖掉11个，剩下36-11=25个。所以答案是25。\n\n"
ENGLISH = "4 * 9 = 36. 36 - 11 = 25. So the answer is 25.\n\n"


def found(thought: str) -> tuple[list[str], list[str], list[str]]:
    events = detect(QUESTION, thought)
    starts = [thought[b.start : b.end] for b in events.backtracks]
    kinds = [item.kind for item in events.backtracks]
    return [item.value for item in events.arrivals], starts, kinds


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        ("等等，让我再检查一下。", "check"),
        ("让我验算一遍。", "check"),
        ("再核对一下。", "check"),
        ("不过，我应该再确认一遍。", "check"),
        ("等一下，我是不是算错了？", "doubt"),
        ("不对，好像有问题。", "doubt"),
        ("会不会还有别的甜瓜？", "doubt"),
        ("换一种方法来算。", "alternative"),
        ("让我重新看一遍题目。", "reread"),
        ("- 等等，让我再检查一下。", "check"),
        ("🤔 等等，让我再检查一下。", "check"),
        ("Wait，让我再检查一下。", "check"),
    ],
)
def test_chinese_turns(turn, kind):
    thought = f"{FIRST}{turn}36-11=25。对，答案是25。"
    assert found(thought) == (["25", "25"], [turn], [kind])


@pytest.mark.parametrize(
    "sentence",
    ["对，没错。", "因此还剩25个。", "每箱9个，卖掉11个。", "最终答案：25。"],
)
def test_chinese_sentences_that_do_not_turn(sentence):
    assert found(FIRST + sentence)[1] == []


def test_a_changed_chinese_answer():
    thought = "4×9=35。所以答案是24。\n\n等等，算错了。4×9=36，36-11=25。所以答案是25。"
    assert found(thought)[0] == ["24", "25"]


@pytest.mark.parametrize(
    "mark",
    [
        "- ",
        "* ",
        "• ",
        "– ",
        "1. ",
        "2) ",
        "(3) ",
        "🤔 ",
        "➡️ ",
        "✅ ",
        "2️⃣ ",
        "**",
        "# ",
    ],
)
def test_turns_after_bullets_numbers_and_emoji(mark):
    turn = f"{mark}Wait, let me check."
    thought = f"{ENGLISH}{turn} 36 - 11 = 25."
    assert found(thought)[:2] == (["25", "25"], [turn])
