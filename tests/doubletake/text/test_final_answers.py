"""The answer in a text: boxes, tags, JSON, statements, conclusions."""

import time

import pytest

from doubletake.text.final_answers import final_answer, read_answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\boxed{3 + 2 = 5}", "5"),
        (r"\boxed{5 = 3 + 2}", "5"),
        (r"\boxed{x = 5}", "5"),
        (r"\boxed{x = 5, y = 3}", "x = 5, y = 3"),
        (r"\boxed{12 \text{ cm}^2}", "12"),
        (r"\boxed{12cm}", "12"),
        (r"\boxed{9\pi}", r"9\pi"),
        (r"\boxed{3:5}", "3:5"),
        (r"\boxed{20-25}", "20-25"),
        (r"\boxed{5!}", "5!"),
        (r"\boxed 5", "5"),
        (r"\boxed{25个}", "25"),
        (r"Half: \boxed{255}. So the final answer is $10,455$. I hope so.", "10455"),
        (r"It is $\frac{1+\sqrt{5}}{2}$", r"It is $\frac{1+\sqrt{5}}{2}$"),
        ("<answer> 7 apples out of 10 </answer>", "7"),
        ('{"answer": 25, "confidence": 0.9}', "25"),
        ('```json\n{"confidence": 0.9, "final_answer": "25 pens"}\n```', "25"),
        ('{"total": 25, "confidence": 0.9}', '{"total": 25, "confidence": 0.9}'),
        ("**Answer:** 3 + 2 = 5", "5"),
        ("Answer: Each of the 6 cousins gets 18", "18"),
        ("**Answer**: 3 loaves cost $4 more than 2 bagels.", "4"),
        ("The answer is not 7 but 5.", "5"),
        ("The answer is 5, not 7.", "5"),
        ("The answer is 1 200.", "1200"),
        ("The answer is minus five.", "-5"),
        ("The answer is 3:5.", "3:5"),
        ("The answer is 2 hours 30 minutes.", "2 hours 30 minutes"),
        ("The answer is between 5 and 7.", "between 5 and 7"),
        ("Final answer: 25!", "25"),
        ("答案是25个。", "25"),
        ("Die Antwort ist 1.250,00 Euro.", "1250"),
        ("Therefore, she needs 8 more days.\n\nNote: a week has 7 days.", "8"),
        ("She has 8 days left (1 week = 7 days).", "8"),
        ("Damien makes $75.00 in a 30-day month.", "75"),
        ("The area is 12 cm^2", "12"),
    ],
)
def test_answers(text, expected):
    assert final_answer(text) == expected


def test_of_several_boxes_the_asked_unit_decides():
    text = r"Ben has \boxed{17} apples and \boxed{3} pears."
    assert final_answer(text, "How many apples has Ben?") == "17"
    assert final_answer(text, "How many pears has Ben?") == "3"
    assert final_answer(text) == "3"


def test_the_thought_shows_how_decimals_are_written():
    assert final_answer(r"\boxed{1.250}") == "1.25"
    assert final_answer(r"\boxed{1.250}", thought="1000 * 1,25 = 1.250,00") == "1250"


def test_the_words_of_the_answer_are_kept():
    found = read_answer(r"\boxed{20\%}")
    assert found is not None
    assert (found.value, found.written) == ("20", r"20\%")


@pytest.mark.parametrize(
    "part",
    ["\\boxed{", "answer is ", "1,", "(", "1 ", "**", "= ", "{", '"answer":', "-."],
)
def test_the_time_is_linear_in_the_text(part):
    """Four times the text may take at most about four times as long."""
    short, long = (_seconds(part * count) for count in (20_000, 80_000))
    assert long < 10 * short + 0.5


def _seconds(text: str) -> float:
    """CPU time of the fastest of three readings, in seconds.

    A reading can also pay for the garbage of all tests before it.
    """
    times = []
    for _ in range(3):
        start = time.process_time()
        final_answer(text)
        times.append(time.process_time() - start)
    return min(times)
