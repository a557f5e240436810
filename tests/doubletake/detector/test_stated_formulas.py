"""Arrivals at answers that are no numbers."""

import pytest

from doubletake.detector.detectors import find_events
from doubletake.detector.rules_detector import detect
from doubletake.running.errors import InputError

ROOT_EIGHT = r"""It is \(\sqrt{2^2 + 2^2} = \sqrt{8}\). So the answer is \(2\sqrt{2}\).

Wait, let me double-check. \(4 + 4 = 8\). Yes, the answer is \(2 \sqrt 2\).

Hmm, hold on. Could it be 4? No. So \boxed{2\sqrt{2}}."""
LETTERS = """2 + 2 is 4, which is option B. So the answer is B.

Wait, let me check. 2 + 2 = 4. Yes, the answer is (B)."""


@pytest.mark.parametrize(
    ("thought", "value", "arrivals", "backtracks"),
    [(ROOT_EIGHT, r"2\sqrt2", 3, 2), (LETTERS, "B", 2, 1)],
)
def test_expressions_and_letters(thought, value, arrivals, backtracks):
    events = detect("Which?", thought)
    assert [item.value for item in events.arrivals] == [value] * arrivals
    assert len(events.backtracks) == backtracks


def test_flags_compare_expressions_by_value():
    events = find_events("Which?", ROOT_EIGHT, r"\sqrt{8}", r"\sqrt{2}", "rules")
    assert [item.is_gold for item in events.arrivals] == [True] * 3
    assert [item.is_final for item in events.arrivals] == [False] * 3
    letters = find_events("Which?", LETTERS, "B", "C", "rules").arrivals
    assert [(item.is_gold, item.is_final) for item in letters] == [(True, False)] * 2


def test_a_search_for_a_letter_is_refused():
    with pytest.raises(InputError, match=r"letter .B.*use the detector .rules."):
        find_events("Which?", LETTERS, "B", None, "string")


@pytest.mark.parametrize(
    "thought",
    [
        "The answer is $10 in change. Then she has $20 left. So 20 - 10 = 10.",
        r"The answer is \(x\) pens. Since \(x = 5\), the answer is 5.",
        r"It is \(\pi r^2\). Say r = 1. So \boxed{3}.",
        "A good answer is a short one. 2 + 3 = 5, so the answer is 5.",
    ],
)
def test_a_thought_that_ends_with_a_number_has_no_formula(thought):
    values = [item.value for item in detect("How many?", thought).arrivals]
    assert values
    assert all(value.replace(".", "").isdigit() for value in values)
