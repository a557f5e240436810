"""Chains of changed answers: the value that loses is an arrival, too."""

import pytest

from doubletake.detector.rules_detector import detect


def values(question: str, thought: str) -> list[str]:
    return [item.value for item in detect(question, thought).arrivals]


def test_two_readings_by_the_same_step():
    """Another step uses 9, so only the place tells an answer from a step."""
    thought = (
        "8 + 2 = 10. 9 - 1 = 8. So 24 - 10 = 14 people.\n\n"
        "Alternatively, a quarter of all is 7. 8 + 7 = 15. Then 24 - 15 = 9.\n\n"
        "But which reading is right? It says 8, so 8 + 2 = 10. So 24 - 10 = 14.\n\n"
        "So the answer is 14."
    )
    assert values("How many people show up?", thought) == ["14", "9", "14"]


def test_amounts_of_money_are_steps():
    thought = (
        "He pays $43 - $12 = $31.\n\nAlternatively, he pays $43 - $8 = $35.\n\n"
        "But which is right? Both count, so $43 - $12 = $31. The answer is $31."
    )
    assert values("How much does he pay?", thought) == ["31", "35", "31"]


CHAIN = (
    "720 grams last 6 days. So the answer is 6.\n\n"
    "Wait, per cat it is 360 a day. That is 2 days. So the answer is 2.\n\n"
    "But wait, is it per cat? It says for all. So it is 6 days.\n\n"
    "Hmm, but maybe it is per cat? Then it is 2 days.\n\n"
    "Wait, is that right? The answer is 2."
)


def test_a_value_called_the_answer_twice_answers_elsewhere_too():
    chain = CHAIN.replace("Then it is 2 days", "Then it is 6 days") + (
        "\n\nWait, let me check. So the answer is 6.\n\nBut it says each. "
        "Let me check again. So the answer is 2."
    )
    assert values("How many days will it last?", chain).count("6") == 4


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        # a step whose result the thought goes on with is no answer
        ("8 + 2 = 10. Then 24 - 10 = 14. So the answer is 14.", ["14"]),
        # a step that computes with the final value checks it
        (
            "60 - 12 = 48. Also, 60 - 48 = 12. Wait, is it? The answer is 48.",
            ["48", "48"],
        ),
        # a number of the question is no rival
        ("60 / 12 = 5. Wait, let me check. 60 / 2 = 30 days. Yes, 5.", ["5", "5"]),
    ],
)
def test_steps_are_no_rivals(thought, expected):
    assert values("How many dozens for 30 days?", thought) == expected
