"""EAT, ThinkBrake and the boosted end: what the model says about stopping."""

import math

import pytest
from tiny_exits import exits, history, trial_point

from doubletake.exit_rules.eat import Eat
from doubletake.exit_rules.marker_gap import BoostedEnd, ThinkBrake
from doubletake.exit_rules.published import RULES
from doubletake.exit_rules.replay import replay


def entropies(*values):
    return history("paragraph", *({"entropy": value} for value in values))


def test_the_moving_variance_of_entropies():
    # a = 0.5, x = 1, 3, 2: m = 1, 2, 2; V = 0, 0.5 (3-2)^2 = 0.5, 0.5 * 0 + 0.25
    rule = Eat("eat", weight=0.5)
    values = [1.0, 3.0, 2.0, *[2.0] * 5]
    assert math.isnan(rule.score(entropies(*values[:7])))  # 4 / 0.5 = 8 points
    # then x = m, so V halves with each of the five further points: 0.25 / 32
    assert rule.score(entropies(*values)) == pytest.approx(0.25 / 32)
    assert rule.with_threshold(0.25 / 32 + 1e-9).decide(entropies(*values))
    assert not rule.with_threshold(0.25 / 32).decide(entropies(*values))  # V < d


def test_the_mean_is_moved_before_the_deviation_is_taken():
    # a = 0.2: x = 0 (19 times), then 1: m = 0.2, V = 0.2 (1 - 0.2)^2 = 0.128
    assert Eat("eat").score(entropies(*[0.0] * 19, 1.0)) == pytest.approx(0.128)


def test_eat_cannot_stop_before_twenty_paragraphs():
    assert Eat("eat").least_points == 20
    assert not Eat("eat").decide(entropies(*[1.0] * 19))
    assert Eat("eat").decide(entropies(*[1.0] * 20))
    stops = replay(RULES["eat"], [exits(["8"] * n, kind="paragraph") for n in (19, 20)])
    assert stops.able.tolist() == [False, True]
    assert stops.point.tolist() == [-1, 19]
    assert stops.bill[1].tolist() == [0, 0, 20, 0]  # entropies, no trial


def gap(marker, other):
    return [trial_point(marker_logprob=marker, best_other_logprob=other)]


def test_thinkbrake_stops_near_the_marker():
    rule = ThinkBrake("thinkbrake")
    assert rule.score(gap(-1.5, -0.5)) == 1.0
    assert rule.decide(gap(-1.0, -0.9375))  # 0.0625 <= 0.1
    assert not rule.decide(gap(-1.0, -0.5))  # 0.5 > 0.1
    assert rule.with_threshold(0.5).decide(gap(-1.0, -0.5))  # 0.5 <= 0.5
    assert rule.decide(gap(-0.1, -3.0))  # the marker is the best token


def test_a_marker_of_high_rank_may_lie_far_below():
    second = [trial_point(marker_logprob=-12.0, marker_rank=1, best_other_logprob=0.0)]
    assert not ThinkBrake("thinkbrake", 10).decide(second)


def test_a_bias_on_the_marker_is_a_wider_gap_at_any_point():
    rule = BoostedEnd("boosted_end")
    assert rule.decide(gap(-5.5, -0.5))  # -5.5 + 5 >= -0.5
    assert not rule.decide(gap(-5.6, -0.5))
    assert rule.looks_at(trial_point(3, ("every",)))
    assert not ThinkBrake("thinkbrake").looks_at(trial_point(3, ("every",)))
    assert not rule.looks_at(trial_point(3, ("end",)))
