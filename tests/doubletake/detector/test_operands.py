"""Numbers that a sentence starts from are no answers."""

import pytest

from doubletake.detector.rules_detector import detect

QUESTION = "How many dozens does she need?"
FIRST = "60 / 12 = 5. So the answer is 5 dozens.\n\nWait, let me check. "


@pytest.mark.parametrize(
    "check",
    [
        "If she makes 5, that's 5 x 12 = 60. Yes, so 5.",
        "So 5x12 = 60. Right, so 5.",
        "If each has 12, then 5 dozens would be 5 * 12 = 60. Yes, so 5.",
        "So, after 5 dozens, she has 60 in all. Yes, so 5.",
        "But 5 dozens is more than 2 dozens. Yes, so 5.",
    ],
)
def test_the_arrival_is_not_the_operand(check):
    thought = FIRST + check
    last = detect(QUESTION, thought).arrivals[-1]
    assert thought[: last.end].endswith(("Yes, so 5", "Right, so 5"))


@pytest.mark.parametrize(
    "result", ["So she needs 5.", "So in 5 days.", "So it's 5, times are hard."]
)
def test_results_stay_results(result):
    thought = FIRST + result
    assert len(detect(QUESTION, thought).arrivals) == 2
