"""The area under accuracy against cost, by hand and with its interval."""

import math

import numpy as np
import pytest
from tiny_exits import history, random_thoughts, thought_of

from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.replay import Looks, replay
from doubletake.exit_rules.thresholds import spent_tokens
from doubletake.stats.intervals import IntervalSettings
from exit_policies.curves import Sweep, area_under_curve


def area(cost, accuracy, start=0.0, end=1.0):
    return area_under_curve(np.array(cost), np.array(accuracy), start, end)


def test_areas_by_hand():
    assert area([], []) == 0.5  # a straight line from nothing to the full thought
    # 0.5 (0 + 0.8)/2 + 0.5 (0.8 + 1)/2 = 0.2 + 0.45
    assert area([0.5], [0.8]) == pytest.approx(0.65)
    assert area([0.0, 0.5], [1.0, 1.0]) == 1
    assert area([0.5, 1.2], [0.8, 0.1]) == pytest.approx(0.65)  # dearer than the end
    assert area([0.6, 0.2], [0.4, 0.5]) == area([0.2, 0.6], [0.5, 0.4])
    assert area([0.2, 0.6], [0.5, 0.4]) == pytest.approx(0.05 + 0.18 + 0.28)


def test_a_sweep_sums_what_the_stops_say():
    thoughts = random_thoughts(90, 20, seed=0, per_problem=3)
    rule = Deer("deer")
    sweep = Sweep.of(Looks.of(rule, thoughts), rule.grid)
    for column, threshold in enumerate(rule.grid):
        stops = replay(rule.with_threshold(threshold), thoughts)
        cost = spent_tokens(stops).sum() / stops.full.sum()
        assert sweep.cost[column] == pytest.approx(cost)
        assert sweep.accuracy[column] == pytest.approx(stops.right.mean())
    whole = sweep.area(IntervalSettings())
    expected = area_under_curve(
        sweep.cost, sweep.accuracy, 0, stops.right_at_end.mean()
    )
    assert whole.value == pytest.approx(expected)
    assert (whole.n, whole.clusters) == (90, 30)
    assert whole.low < whole.value < whole.high


def studied(seed, problems):
    """Thoughts with one cue at 30 of 100 tokens, right there with probability c."""
    draw = np.random.default_rng(seed)
    thoughts = []
    for number in range(problems):
        c = draw.choice([0.6, 0.96])
        known = {
            "answer": "8" if draw.random() < c else "7",
            "trial_logprobs": (math.log(c),),
        }
        points = history("cue", known, step=30)
        end = "8" if draw.random() < 0.9 else "7"
        thoughts.append(thought_of(points, end=end, problem=f"{number}"))
    return thoughts


def test_the_interval_of_the_area_covers_it():
    # Grid 0.97: to the end, cost 1.01, left out. 0.95: half stop, cost 0.31 or 1.01:
    # 0.66, accuracy (0.96 + 0.9) / 2 = 0.93. 0.5: all stop, 0.31, mean 0.78.
    truth = area([0.31, 0.66], [0.78, 0.93], 0.0, 0.9)
    held = []
    for seed in range(300):
        looks = Looks.of(Deer("deer"), studied(seed, 40))
        mean = Sweep.of(looks, (0.97, 0.95, 0.5)).area(IntervalSettings())
        held.append(mean.low <= truth <= mean.high)
    assert 0.91 <= np.mean(held) <= 0.985  # 95%, three errors of 300 simulations


def test_one_problem_has_an_area_without_an_interval():
    mean = Sweep.of(Looks.of(Deer("deer"), studied(0, 1)), (0.5,)).area(
        IntervalSettings()
    )
    assert (mean.low, mean.high) == (None, None)
    assert mean.value > 0
