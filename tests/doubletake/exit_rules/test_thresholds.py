"""The one-standard-error rule, and how well it chooses."""

import math

import numpy as np
import pytest
from tiny_exits import history, thought_of

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.thresholds import chosen_threshold, one_standard_error


def test_the_cheapest_within_one_standard_error_of_the_best():
    # 10 problems. Candidate 0 is right on all. Candidate 1 loses one problem: loss 0.1,
    # error sqrt(0.1 * 0.9 / 9) = 0.1. Candidate 2 loses two: 0.2, sqrt(.16 / 9) = .133.
    right = np.ones((10, 3), dtype=bool)
    right[:1, 1] = right[:2, 2] = False
    cost = np.tile([3.0, 2.0, 1.0], (10, 1))
    problems = np.arange(10)
    assert one_standard_error(right[:, [0, 2]], cost[:, [0, 2]], problems) == 0
    assert one_standard_error(right, cost, problems) == 1


def test_of_equals_the_cheaper_one_is_taken():
    right = np.ones((4, 3), dtype=bool)
    cost = np.tile([2.0, 1.0, 3.0], (4, 1))
    assert one_standard_error(right, cost, np.arange(4)) == 1


def test_one_problem_has_no_error_and_allows_no_loss():
    right = np.array([[True, False]])
    assert one_standard_error(right, np.array([[2.0, 1.0]]), np.array(["a"])) == 0


def test_thoughts_on_one_problem_count_as_one_case():
    # two problems of ten thoughts each; all ten of one are lost: error is large
    right = np.ones((20, 2), dtype=bool)
    right[:10, 1] = False
    cost = np.tile([2.0, 1.0], (20, 1))
    assert one_standard_error(right, cost, np.repeat([0, 1], 10)) == 1
    assert one_standard_error(right, cost, np.arange(20)) == 0


def cue_thoughts(count, wrong_above, least=0.5):
    """Thoughts with one cue: confidence from 0.5 to 1, wrong up to a confidence."""
    thoughts = []
    for number, c in enumerate(np.linspace(least, 0.99999, count)):
        answer = "7" if c <= wrong_above else "8"
        known = {"trial_logprobs": (math.log(c),), "answer": answer}
        points = history("cue", known)
        thoughts.append(thought_of(points, trace=f"{number}", problem=f"{number}"))
    return thoughts


def test_a_threshold_is_chosen_from_the_grid():
    chosen = chosen_threshold(Deer("deer"), cue_thoughts(50, wrong_above=0.8))
    assert chosen.threshold in (0.8, 0.85)
    assert chosen.accuracy > 0.95
    # about 40% stop at token 10 of 100, and all pay one trial token
    assert chosen.cost == pytest.approx(0.65, abs=0.05)
    assert (chosen.thoughts, chosen.problems) == (50, 50)


def test_to_the_end_where_every_exit_loses():
    chosen = chosen_threshold(Deer("deer"), cue_thoughts(50, 1, least=0.99991))
    assert chosen.threshold is None
    assert (chosen.accuracy, chosen.cost) == (1, 1)


def test_no_thoughts_and_no_grid_are_refused():
    with pytest.raises(ValueError, match="deer"):
        chosen_threshold(Deer("deer"), [])
    with pytest.raises(ValueError, match="no_thought"):
        chosen_threshold(RULES["no_thought"], cue_thoughts(2, 1))


def test_the_choice_loses_little_on_other_problems():
    """With risks of 0 to 0.3, the chosen one loses far less than the cheapest."""
    rng = np.random.default_rng(0)
    risks = np.array([0.0, 0.0, 0.02, 0.1, 0.3])
    cost = np.tile([5.0, 4, 3, 2, 1], (200, 1))
    lost = [
        risks[one_standard_error(rng.random((200, 5)) >= risks, cost, np.arange(200))]
        for _ in range(300)
    ]
    assert np.mean(lost) < 0.02
    assert np.mean(np.array(lost) <= 0.02) > 0.97
