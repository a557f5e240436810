"""Slips that the language would plant in a finished thought."""

import pytest

from pocket.inserted_slips import possible_slips
from pocket.reading import read_thought

QUESTION = (
    "Lily has 23 pears. She finds 16 more. She sells 15. How many pears does Lily have?"
)
THOUGHT = (
    "Lily has 23 pears. She finds 16 more, so 23 + 16 = 39. She sells 15, so 39 - 15 = "
    "24. That was not hard. Therefore, the answer is 24."
)


def test_slips_are_at_hard_steps_and_take_the_wrong_sign():
    found = possible_slips(QUESTION, THOUGHT)
    assert {THOUGHT[at : at + 2]: wrong for at, wrong in found.items()} == {"24": 54}
    # 23 + 16 = 7 cannot be followed by 7 - 15.


def test_the_reader_finds_the_slip_and_its_planted_rate():
    ((at, wrong),) = possible_slips(QUESTION, THOUGHT).items()
    text = THOUGHT[:at] + str(wrong) + THOUGHT[at + 2 :]
    boundary = read_thought(QUESTION, text).boundaries[0]
    assert boundary.cause.kind == "slip"
    assert boundary.probability == pytest.approx(0.78)


@pytest.mark.parametrize(
    "thought",
    [
        THOUGHT.replace("= 24", "= 54"),  # holds a slip already
        "Lily has 23 pears. She finds 9 more, so 23 + 9 = 32. That was not hard.",
        "Lily has 23 pears, so 23 + 9 = 32. Let me check again. 39 - 15 = 24.",
    ],
)
def test_other_thoughts_have_none(thought):
    assert possible_slips(QUESTION, thought) == {}


def test_a_later_slip_follows_from_the_wrong_result():
    question = QUESTION.replace("She sells 15", "She finds 14 more")
    thought = (
        "Lily has 23 pears. She finds 16 more, so 23 + 16 = 39. "
        "She finds 14 more, so 39 + 14 = 53. That was not hard."
    )
    found = possible_slips(question, thought)
    # 23 - 16 = 7, then 7 + 14 = 21; 39 - 14 = 25.
    assert sorted(found.values()) == [7, 25]
