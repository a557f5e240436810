"""The whole rotation: false promises and false claims at their rate, known ones found.

Losses are drawn for thresholds of known risk: [study, group, problem, threshold].
"""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.guarantees import RiskSettings, loss_p_values, passed_in_sequence
from exit_guarantees.intervals import corrected, lies_below
from exit_guarantees.outcomes import Outcome, Outcomes
from exit_guarantees.risks import above_p_value, risk_rows

STUDIES, PROBLEMS, LEVEL = 1000, 100, 0.05
RISK = RiskSettings(epsilon=0.05, delta=0.1)
ERROR = 3 * math.sqrt(RISK.delta * (1 - RISK.delta) / STUDIES)


def studies(seed, risks, problems=PROBLEMS):
    """Losses of 1,000 studies: who loses at a threshold loses at bolder ones."""
    level = array_generator(seed, 0).random((STUDIES, 3, problems, 1))
    return (level < np.asarray(risks)).sum(2)


def rotated(losses, problems=PROBLEMS, reported=None):
    """Numbers of certified thresholds, and losses of the reported problems there.

    Returns:
        Both [study, group]; group g reports what group g + 1 has certified.
    """
    p = loss_p_values(losses, problems, RISK.epsilon)
    certified = np.roll(passed_in_sequence(p, RISK.delta), -1, axis=1)
    boldest = np.maximum(certified - 1, 0)[..., None]
    lost = losses if reported is None else reported
    return certified, np.take_along_axis(lost, boldest, 2)[..., 0]


def claims(certified, lost, problems=PROBLEMS):
    """P-values of each study with a certificate: [study]."""
    given = certified > 0
    pairs = zip((lost * given).sum(1), given.sum(1) * problems, strict=True)
    return np.array([above_p_value(k, n, RISK.epsilon) for k, n in pairs if n])


def test_the_p_value_is_that_of_the_exact_binomial_test():
    for losses in (1, 7, 30):
        expected = binomtest(losses, 80, 0.05, alternative="greater").pvalue
        assert above_p_value(losses, 80, 0.05) == pytest.approx(expected)
    assert above_p_value(0, 80, 0.05) == 1


@pytest.mark.parametrize("problems", [60, 100, 400])
def test_a_false_promise_is_made_in_at_most_delta_of_the_studies(problems):
    risks = np.array([0.5, 0.9, 1.0001, 1.3, 2.0]) * RISK.epsilon
    certified, lost = rotated(studies(problems, risks, problems), problems)
    for group in range(3):
        false = certified[:, group] > 2
        assert np.mean(false) <= RISK.delta + ERROR
    # what other problems lose under a true promise is epsilon or less, on average
    kept = (certified > 0) & (certified <= 2)
    assert lost[kept].mean() / problems <= RISK.epsilon


def test_the_rate_of_false_promises_is_nearly_reached_at_the_bound():
    rates = [
        np.mean(rotated(studies(n, [1.0001 * RISK.epsilon], n), n)[0] > 0)
        for n in (100, 200, 400, 500)
    ]
    assert 0.05 < max(rates) <= RISK.delta + ERROR


def test_a_promise_that_is_chosen_on_the_reported_problems_would_break():
    """The rotation matters: on its own problems a bold threshold looks safer."""
    risks = np.full(6, 1.2 * RISK.epsilon)
    independent = array_generator(3, 0).random((STUDIES, 3, PROBLEMS, 6)) < risks
    losses = independent.sum(2)
    certified, lost = rotated(losses)
    own, seen = rotated(losses, reported=np.roll(losses, -1, axis=1))
    there = own > 0
    assert seen[there].mean() < 0.5 * lost[certified > 0].mean()
    assert lost[certified > 0].mean() / PROBLEMS == pytest.approx(0.06, abs=0.006)


@pytest.mark.parametrize("risks", [[1.0], [0.4, 1.0], [0.4, 0.7, 1.0, 1.0]])
def test_few_studies_claim_a_broken_promise_where_all_are_true(risks):
    p = claims(*rotated(studies(11, np.array(risks) * RISK.epsilon)))
    error = 3 * math.sqrt(LEVEL * (1 - LEVEL) / len(p))
    # also given a certificate, which is drawn by the problems of another group
    assert np.mean(p <= LEVEL) <= LEVEL / (1 - RISK.delta) + error
    assert p.min() <= LEVEL  # the test can claim


def test_a_broken_promise_is_found():
    """Certified at a fifth of epsilon, reported at four times epsilon."""
    calibration = studies(5, [0.2 * RISK.epsilon])
    certified, lost = rotated(calibration, reported=studies(6, [4 * RISK.epsilon]))
    p = claims(certified, lost)
    assert np.mean(p * 70 <= LEVEL) > 0.95  # also if 70 tests are made


def test_a_clear_score_is_certified_in_all_groups():
    certified, _ = rotated(studies(7, [0.0, 0.01], 200), 200)
    assert np.mean(certified == 2) > 0.9
    few, _ = rotated(studies(7, [0.0, 0.0], 44), 44)
    assert (few == 0).all()


def outcome(spent, right, at_end, name="p"):
    """An outcome of thoughts of 100 tokens, each on its own problem."""
    count = len(spent)
    full = np.full(count, 100)
    problems = np.array([f"{name}{number}" for number in range(count)], dtype=object)
    return Outcome(problems, right, at_end, spent, full, spent < full)


def decided(rng, cost, harm, help_):
    """Whether saving and losing are claimed, of eight rules, corrected.

    All pay trials; a tenth of the thoughts stops early.
    """
    strict = corrected(IntervalSettings(), 8)
    found = []
    for _ in range(8):
        early = rng.random(PROBLEMS) < 0.1
        spent = np.where(early, 100 - 9 * cost, 100 + cost)
        change = rng.random(PROBLEMS)
        at_end = change >= help_
        right = np.where(change < help_, True, change < 1 - harm)
        one = outcome(spent, right, at_end)
        saves = lies_below(one.total_rate(strict), 1)
        found.append((bool(saves), bool(lies_below(one.change(strict), 0))))
    return np.array(found)


def test_few_studies_claim_savings_or_losses_where_there_are_none():
    rng = np.random.default_rng(0)
    found = [decided(rng, cost=6, harm=0.05, help_=0.05) for _ in range(300)]
    any_claim = np.array([one.any(0) for one in found])
    error = 3 * math.sqrt(LEVEL * (1 - LEVEL) / 300)
    assert (any_claim.mean(0) <= LEVEL + error).all()
    assert any_claim.any(0).any()


def test_savings_and_losses_are_found():
    rng = np.random.default_rng(1)
    strict = corrected(IntervalSettings(), 70)
    for _ in range(20):
        early = rng.random(PROBLEMS) < 0.5
        right = rng.random(PROBLEMS) < 0.6
        one = outcome(np.where(early, 30, 101), right, np.ones(PROBLEMS, bool))
        assert lies_below(one.total_rate(strict), 1)
        assert lies_below(one.change(strict), 0)


def test_rows_by_hand():
    """One threshold, certified for groups 0 and 1; 6 and 9 of their problems lose."""

    def outcomes(losing, name, count=60):
        right = np.arange(count) >= losing
        stopped = outcome(np.full(count, 40), right, np.ones(count, bool), name)
        return Outcomes((0.9,), {0.9: stopped, None: stopped.to_the_end})

    groups = [
        (outcomes(0, "b"), outcomes(6, "a")),
        (outcomes(0, "c"), outcomes(9, "b")),
        (outcomes(20, "a"), outcomes(0, "c")),
    ]
    rows = risk_rows({"deer": groups}, [RISK], IntervalSettings())
    assert [row["group"] for row in rows] == [0, 1, 2, None]
    assert [row.get("threshold") for row in rows] == [0.9, 0.9, None, None]
    assert rows[0]["p_value"] == pytest.approx(0.95**60)
    assert rows[2]["why_not"] == (
        "Nothing can be certified: think to the end. At the most careful threshold 20 "
        "of 60 calibration problems lose their right answer."
    )
    whole = rows[3]
    assert (whole["certified"], whole["promised"], whole["losses"]) == (2, 120, 15)
    assert (whole["problems"], whole["stopped"]) == (180, 120)
    assert whole["risk"] == 0.125
    # 120 of 180 thoughts cost 0.4, the others go on
    assert whole["total_rate"] == pytest.approx((120 * 40 + 60 * 100) / 18000)
    expected = binomtest(15, 120, 0.05, alternative="greater").pvalue
    assert whole["p_above"] == pytest.approx(expected)
    assert whole["p_above_corrected"] == whole["p_above"]
    twice = risk_rows({"a": groups, "b": groups}, [RISK], IntervalSettings())
    assert twice[3]["p_above_corrected"] == pytest.approx(2 * expected)
