"""Conformal exits: quantiles by hand, and coverage on 1,000 simulated sets."""

import math

import numpy as np
import pytest
from tiny_exits import history

from doubletake.exit_rules.conformal import (
    conformal_exit,
    conformal_quantile,
    least_cases,
)
from doubletake.exit_rules.published import RULES
from doubletake.stats.draws import array_generator

SETS = 1000


def test_the_rank_of_the_quantile():
    scores = np.array([0.4, 0.1, 0.3, 0.2])
    # ceil(5 * 0.6) = 3, ceil(5 * 0.8) = 4, ceil(5 * 0.9) = 5 > 4
    assert conformal_quantile(scores, 0.4) == 0.3
    assert conformal_quantile(scores, 0.2) == 0.4
    assert conformal_quantile(scores, 0.1) == math.inf
    assert conformal_quantile(scores[:0], 0.5) == math.inf


@pytest.mark.parametrize(("delta", "least"), [(0.1, 9), (0.05, 19), (0.5, 1), (0.3, 3)])
def test_the_least_number_of_cases(delta, least):
    assert least_cases(delta) == least
    scores = np.linspace(1 / least, 1, least)
    assert conformal_quantile(scores, delta) == 1
    assert conformal_quantile(scores[1:], delta) == math.inf


def test_both_classes_have_their_own_quantile():
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    right = np.array([True, True, True, False, False, False])
    found = conformal_exit(p, right, delta=0.5)
    # k = ceil(4 * 0.5) = 2: 1 - p of right: .1, .2, .3; p of wrong: .4, .5, .6
    assert found.q_right == pytest.approx(0.2)
    assert found.q_wrong == 0.5
    rule = found.rule(RULES["lynx"])
    sure, unsure = (history("cue", {"probe_score": score}) for score in (0.81, 0.79))
    assert rule.decide(sure)
    assert not rule.decide(unsure)
    assert found.sentence == (
        "Of wrong cases, at most 50.0% are stopped at (3 wrong calibration cases)."
    )


def test_too_few_wrong_cases_certify_nothing():
    found = conformal_exit(np.array([0.9, 0.1]), np.array([True, False]), delta=0.1)
    assert not found.can_stop
    assert not found.rule(RULES["lynx"]).decide(history("cue", {"probe_score": 1.0}))
    assert found.sentence == (
        "Nothing can be certified: think to the end. There are 1 wrong calibration "
        "cases, and 9 are needed."
    )


def test_a_case_may_be_a_whole_problem():
    p = np.array([0.2, 0.6, 0.3, 0.5])
    wrong = np.zeros(4, dtype=bool)
    found = conformal_exit(p, wrong, 0.5, problems=np.array(["a", "a", "b", "b"]))
    assert found.wrong == 2
    assert found.q_wrong == 0.6  # the largest of each: .6 and .5; k = 2
    assert conformal_exit(p, wrong, 0.5).q_wrong == 0.5  # k = 3 of .2 .3 .5 .6
    assert (found.q_right, found.right) == (math.inf, 0)


def stopped(quantiles, scores):
    """Share of new wrong cases at which the rule stops, with its error."""
    hits = scores > quantiles[:, None]
    return hits.mean(), 3 * hits.mean(1).std() / math.sqrt(len(quantiles))


@pytest.mark.parametrize("delta", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("count", [5, 19, 100])
def test_wrong_cases_are_stopped_at_at_most_the_stated_share(count, delta):
    draw = array_generator(count, int(100 * delta))
    old, new = draw.beta(2, 3, (SETS, count)), draw.beta(2, 3, (SETS, 50))
    quantiles = np.array(
        [conformal_exit(p, np.zeros(count, bool), delta).q_wrong for p in old]
    )
    share, error = stopped(quantiles, new)
    assert share <= delta + error
    if count >= least_cases(delta):
        assert share >= delta - 1 / (count + 1) - error  # not idle
    else:
        assert share == 0


def test_a_rank_that_is_clipped_to_the_count_would_fail():
    draw = array_generator(3, 0)
    old, new = draw.random((SETS, 5)), draw.random((SETS, 50))
    share, error = stopped(old.max(1), new)
    assert share - error > 0.1


def test_only_whole_problems_bound_the_risk_of_a_thought_with_many_looks():
    draw = array_generator(4, 0)
    count, looks, delta = 60, 8, 0.1
    names = np.repeat(np.arange(count), looks)
    wrong = np.zeros(count * looks, bool)
    level = draw.normal(size=(SETS, count + 1, 1))
    scores = 1 / (1 + np.exp(-level - draw.normal(size=(SETS, count + 1, looks))))
    old, new = scores[:, :count].reshape(SETS, -1), scores[:, count]
    rates = {}
    for case, problems in (("point", None), ("problem", names)):
        q = np.array([conformal_exit(p, wrong, delta, problems).q_wrong for p in old])
        rates[case] = np.mean((new > q[:, None]).any(1))
    error = 3 * math.sqrt(delta * (1 - delta) / SETS)
    assert rates["problem"] <= delta + error
    assert rates["point"] > delta + error


def test_a_clear_score_stops_at_nearly_all_right_cases():
    draw = array_generator(5, 0)
    old = np.concatenate(
        [draw.beta(20, 2, (SETS, 50)), draw.beta(2, 20, (SETS, 50))], 1
    )
    right = np.arange(100) < 50
    q = np.array([conformal_exit(p, right, 0.1).q_wrong for p in old])
    assert np.mean(draw.beta(20, 2, (SETS, 50)) > q[:, None]) > 0.99
