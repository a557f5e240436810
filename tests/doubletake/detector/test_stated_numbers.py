"""The roles of numbers."""

import pytest

from doubletake.detector.asked_quantity import read_question
from doubletake.detector.stated_numbers import StatedNumbers
from doubletake.text.sentences import sentences


def roles(text: str, question: str = "?") -> list[str]:
    numbers = StatedNumbers(text, sentences(text), read_question(question))
    return [numbers.number(index).role for index in range(len(numbers.numerals))]


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


def test_units_that_the_question_does_not_ask_for():
    question = "She has 5 cents. How many bars can she buy?"
    assert roles("She has 3 cents and 2 bars", question)[0] != "result"
    assert roles("That is 3 cents.", question) == ["other unit"]


def test_hypothetical_sentences_and_numbers_after_operands():
    text = "If so, the answer would be 5. Well, 2 + 3 is 5."
    numbers = StatedNumbers(text, sentences(text), read_question("?"))
    stated = [numbers.number(index) for index in range(4)]
    assert [item.hypothetical for item in stated] == [True, False, False, False]
    assert [item.after_operand for item in stated] == [False, False, True, True]
    assert [item.numeral.value for item in numbers.of_value("5")] == ["5", "5"]
    assert numbers.committed() == stated[:1]
