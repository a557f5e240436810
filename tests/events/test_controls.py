"""Controls: sentences that are matched to backtracks."""

from random import Random

from doubletake.detector.rules_detector import detect
from doubletake.text.sentences import starts_line
from events.controls import controls
from pocket.problems import sample_problem
from pocket.thoughts import sample_thought

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"


def long_thought(turns: int) -> str:
    turn = "Wait, let me check. 5 boxes.\n5 * 9 = 45. That's right. Fine. All good.\n\n"
    return f"5 * 9 = 45. Tom has 5 boxes. It is easy.\n\n{turn * turns}So 45."


def test_controls_are_other_sentences_as_many_as_backtracks_and_seeded():
    thought = long_thought(6)
    events = detect(QUESTION, thought)
    chosen = controls(thought, events, Random(3))
    taken = {item.start for item in (*events.backtracks, *events.wrap_ups)}
    assert len(chosen) == len(events.backtracks) == 6
    assert not taken & {item.start for item in chosen}
    assert chosen == controls(thought, events, Random(3))
    assert any(chosen != controls(thought, events, Random(seed)) for seed in range(9))


def test_pocket_backtracks_have_controls_that_mostly_stand_as_they_do():
    rng, turns, alike = Random(4), 0, 0
    for _ in range(400):
        problem = sample_problem(rng)
        text = sample_thought(problem, rng).text
        events = detect(problem.question, text)
        chosen = controls(text, events, Random(0))
        assert len(chosen) == len(events.backtracks)
        lines = [
            sum(starts_line(text, item.start) for item in items)
            for items in (events.backtracks, chosen)
        ]
        turns += len(chosen)
        alike += len(chosen) - abs(lines[0] - lines[1])
    # A short thought may lack a second line: 0.93 was measured on 3,000 thoughts.
    assert alike / turns > 0.9
