"""The roles of numbers."""

import pytest

from doubletake.detector.asked import what_is_asked
from doubletake.detector.statements import Numbers
from doubletake.text.sentences import sentences


def roles(text: str, question: str = "?") -> list[str]:
    numbers = Numbers(text, sentences(text), what_is_asked(question))
    return [numbers.statement(place).role for place in range(len(numbers.numerals))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 * 9 = 45", "operand operand result"),
        ("4 boats * 5 cats = 20 cats", "operand operand result"),
        (r"\(5 \times 9 = 45\)", "operand operand result"),
        ("5 times 9 is 45.", "operand operand result"),
        ("36 divided by 9 gives 4.", "operand operand result"),
        ("$6 minus $2, which is $4.", "operand operand result"),
        ("That leaves her with 15.", "result"),
        ("equals a total of 318 people.", "result"),
        ("That's definitely 71.", "result"),
        ("So the answer is **48**.", "committed"),
        (r"\boxed{\$18}", "committed"),
        ("I think 375 is the right answer.", "committed"),
        ("12 + 7 = 18 is not right.", "operand operand operand"),
        ("it is 19, not 18.", "result operand"),
        ("If it is 59, the total grows.", "operand"),
        ("Since each has 2 halves, we go on.", "operand"),
        ("He saw 7 of them.", "mention"),
        ("one of the two", "operand operand"),
        ("40% of 50 is 20", "operand operand result"),
        ("2x = 8", "operand result"),
    ],
)
def test_roles(text, expected):
    assert roles(text) == expected.split()


def test_things_that_are_not_asked_for():
    question = "She has 5 cents. How many bars can she buy?"
    assert roles("She has 3 cents and 2 bars", question)[0] != "result"
    assert roles("That is 3 cents.", question) == ["other"]


def test_supposed_and_derived():
    text = "If so, the answer would be 5. Well, 2 + 3 is 5."
    numbers = Numbers(text, sentences(text), what_is_asked("?"))
    found = [numbers.statement(place) for place in range(4)]
    assert [item.supposed for item in found] == [True, False, False, False]
    assert [item.derived for item in found] == [False, False, True, True]
    assert [item.numeral.value for item in numbers.of_value("5")] == ["5", "5"]
    assert numbers.committed() == found[:1]
