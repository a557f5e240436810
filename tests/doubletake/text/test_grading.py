"""Answers judged by references of each kind."""

import pytest

from doubletake.text.grading import Judged, Task, judged


def verdict(text, gold):
    return judged(text, Task(gold, question="", thought=""))


@pytest.mark.parametrize(
    ("text", "gold", "answer", "correct"),
    [
        (r"\boxed{20\%}", "20", "20", True),
        (r"\boxed{20\%}", "0.2", "20", True),
        (r"\boxed{20}", "0.2", "20", False),
        (r"\boxed{2^3}", "8", "2^3", True),
        (r"\boxed{9\pi}", "9", r"9\pi", False),
        (
            r"\boxed{2 \text{ hours } 30 \text{ minutes}}",
            "2",
            r"2 \text{ hours } 30 \text{ minutes}",
            False,
        ),
        ("I cannot say.", "5", None, False),
        # letters
        (r"\boxed{\text{(D)}}", "D", "D", True),
        ("The answer is (B) 4.", "B", "B", True),
        ("**Answer: C. 5**", "B", "C", False),
        ("So it is B.", "B", "B", True),
        ("I cannot say.", "B", None, False),
        # expressions
        (r"\boxed{\sqrt{8}}", r"2\sqrt{2}", r"\sqrt{8}", True),
        (r"The answer is $1 + x^2$.", "x^2+1", "1 + x^2", True),
        (r"\boxed{2}", r"2\sqrt{2}", "2", False),
        (r"\boxed{Evelyn}", r"\text{Evelyn}", "Evelyn", True),
        (r"\boxed{Briana}", r"\text{Evelyn}", "Briana", False),
        (r"\boxed{10^{10^{10}}}", r"2\sqrt{2}", "10^{10^{10}}", False),
        ("I cannot say.", "x", None, False),
        (r"\boxed{2} and \boxed{3}", "(2, 5)", "2, 3", False),
        (r"\boxed{-1} and \boxed{2}", "-1, 2", "-1, 2", True),
    ],
)
def test_verdicts(text, gold, answer, correct):
    assert verdict(text, gold) == Judged(answer, correct)
