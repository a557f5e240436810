"""Controls: all sentences at which a thought goes on."""

from random import Random

import pytest

from doubletake.detector.rules_detector import detect
from events.controls import controls, goes_on
from pocket.problems import sample_problem
from pocket.thoughts import sample_thought

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"
WORDS = frozenset({"wait", "but", "so", "therefore"})


def texts_of_controls(thought: str) -> list[str]:
    events = detect(QUESTION, thought)
    return [thought[i.start : i.end] for i in controls(thought, events, WORDS)]


def test_controls_lie_between_the_first_arrival_and_the_wrap_up():
    thought = (
        "Tom has 5 boxes. 5 * 9 = 45. Boxes are full.\n\nWait, let me check. "
        "There are 9 in each.\n5 * 9 = 45. But it fits. All good.\n\n"
        "So the answer is 45.\nThat was easy."
    )
    assert texts_of_controls(thought) == [
        "Boxes are full.",
        "There are 9 in each.",
        "5 * 9 = 45.",
        "All good.",
    ]


def test_a_thought_without_an_arrival_has_no_control():
    assert texts_of_controls("Tom has boxes. They are full. He is glad.") == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Now 5 boxes.", True),
        ("SO it is 45.", False),
        ('"So" he said.', False),
        ("**Therefore** 45.", False),
        ("Sometimes it is 45.", True),
        ("5 so far.", True),
        ("Let me double-check this.", False),
    ],
)
def test_words_and_cues_of_turns_exclude_a_sentence(sentence, expected):
    assert goes_on(sentence, WORDS) == expected


def test_no_control_of_the_pocket_language_is_a_turn():
    rng, count = Random(4), 0
    for _ in range(100):
        problem = sample_problem(rng)
        text = sample_thought(problem, rng).text
        events = detect(problem.question, text)
        turns = {item.start for item in (*events.backtracks, *events.wrap_ups)}
        found = controls(text, events, WORDS)
        assert not turns & {item.start for item in found}
        count += len(found)
    assert count > 100
