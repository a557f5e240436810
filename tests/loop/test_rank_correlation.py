"""Rank correlations and AUROCs: against scipy, without an effect, with a known one."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata, spearmanr

from doubletake.stats.intervals import IntervalSettings
from loop.rank_correlation import _ranks, classes_apart, spearman

INTERVALS = IntervalSettings()


def clusters(count, size, rng):
    """Names of the problems of some events, of random size up to `size`."""
    return np.repeat(np.arange(count), rng.integers(1, size + 1, count))


def test_the_correlation_is_that_of_scipy_with_ties():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40), rng.integers(0, 6, 40)
    found = spearman(x, y, np.arange(40), INTERVALS)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low < found.value < found.high
    assert (found.n, found.problems) == (40, 40)


def test_ranks_without_a_problem_are_those_of_the_other_events():
    rng = np.random.default_rng(1)
    problems = clusters(7, 3, rng)
    x = rng.integers(0, 5, len(problems)).astype(float)
    ranks = _ranks(x, problems, np.zeros(len(x), dtype=int))
    for number in range(7):
        kept = problems != number
        own = rankdata(x[kept]) - 0.5
        np.testing.assert_allclose(ranks[1 + number][kept], own)
    np.testing.assert_allclose(ranks[0], rankdata(x) - 0.5)


def test_within_kinds_a_difference_between_kinds_does_not_count():
    """Within each kind the order is the same; between the kinds it is opposite."""
    kinds = np.repeat([0, 1, 2], 10)
    x = np.tile(np.arange(10.0), 3) + 100 * kinds
    y = np.tile(np.arange(10.0), 3) - 100 * kinds
    together = spearman(x, y, np.arange(30), INTERVALS)
    within = spearman(x, y, np.arange(30), INTERVALS, kinds)
    assert together.value < -0.7
    assert within.value == pytest.approx(1)
    assert within.p < 0.001
    flat = spearman(x, 1.0 * kinds, np.arange(30), INTERVALS, kinds)
    assert flat.value is flat.p is None


def test_within_kinds_it_is_the_correlation_of_ranks_from_the_middle():
    rng = np.random.default_rng(11)
    x, y = rng.integers(0, 6, (2, 40))
    kinds = rng.integers(0, 3, 40)
    parts = []
    for values in (x, y):
        middle = np.zeros(40)
        for kind in range(3):
            ranks = rankdata(values[kinds == kind])
            middle[kinds == kind] = ranks - ranks.mean()
        parts.append(middle)
    found = spearman(x, y, np.arange(40), INTERVALS, kinds)
    wanted = (parts[0] * parts[1]).sum() / np.sqrt(
        (parts[0] ** 2).sum() * (parts[1] ** 2).sum()
    )
    assert found.value == pytest.approx(wanted)


def test_within_kinds_nothing_is_claimed_from_a_difference_between_kinds():
    rng, claimed = np.random.default_rng(12), 0
    for _ in range(300):
        kinds = rng.integers(0, 3, 30)
        x, y = rng.normal(size=(2, 30)) + 5 * kinds
        found = spearman(x, y, np.arange(30), INTERVALS, kinds)
        claimed += found.p < 0.05
    assert claimed <= 25  # 15 expected, 25 is the 99% quantile


@pytest.mark.parametrize(("count", "size"), [(10, 1), (30, 1), (15, 4)])
def test_without_a_relation_it_is_claimed_at_most_at_the_nominal_rate(count, size):
    rng = np.random.default_rng(2)
    claimed = {"rho": 0, "auroc": 0}
    for _ in range(300):
        problems = clusters(count, size, rng)
        shared = rng.normal(size=(2, count))[:, problems] * (size > 1)
        x, y = shared + rng.normal(size=(2, len(problems)))
        found = spearman(x, y, problems, INTERVALS)
        claimed["rho"] += found.p is not None and found.p < 0.05
        labels = np.arange(count)[problems] % 2 == 0
        apart = classes_apart(x, labels, problems, IntervalSettings(0.95, 5))
        claimed["auroc"] += apart.p is not None and apart.p < 0.05
    assert claimed["rho"] <= 25  # 15 expected, 25 is the 99% quantile
    assert claimed["auroc"] <= 25


def test_a_known_relation_is_found_and_its_interval_covers():
    rng = np.random.default_rng(3)
    found, covered = 0, 0
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman of a normal with Pearson 0.6
    for _ in range(100):
        x = rng.normal(size=60)
        y = 0.6 * x + 0.8 * rng.normal(size=60)
        one = spearman(x, y, np.arange(60), INTERVALS)
        found += one.p < 0.01
        covered += one.low <= truth <= one.high
    assert found >= 90
    assert covered >= 88


def test_below_the_least_number_of_problems_nothing_is_tested():
    x = np.arange(9.0)
    found = spearman(x, x**2, np.arange(9), INTERVALS)
    assert found.value == pytest.approx(1.0)
    assert found.low is found.high is found.p is None
    many = spearman(np.arange(40.0), np.arange(40.0), np.arange(40) % 9, INTERVALS)
    assert many.p is None
    labels = np.arange(30) < 9  # nine problems of one class
    assert classes_apart(np.arange(30.0), labels, np.arange(30), INTERVALS).p is None


def test_a_number_that_is_the_same_everywhere_has_no_correlation():
    found = spearman(np.ones(20), np.arange(20.0), np.arange(20), INTERVALS)
    assert found.value is found.p is None
    one_class = np.ones(20, dtype=bool)
    assert classes_apart(np.arange(20.0), one_class, np.arange(20), INTERVALS).n == 20


def test_classes_that_are_apart_completely_have_a_p_value():
    """The jackknife has no error there; the test of a random order has one."""
    scores, labels = np.arange(40.0), np.arange(40) >= 15
    found = classes_apart(scores, labels, np.arange(40), INTERVALS)
    assert found.value == 1.0
    expected = mannwhitneyu(
        scores[labels], scores[~labels], method="asymptotic", use_continuity=False
    ).pvalue
    assert found.p == pytest.approx(expected)
    perfect = spearman(scores, scores, np.arange(40), INTERVALS)
    assert perfect.p < 1e-6


def test_events_of_one_problem_do_not_count_as_many():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 12))
    problems = np.arange(12)
    alone = spearman(x, y, problems, INTERVALS)
    repeated = spearman(*(np.repeat(v, 5) for v in (x, y, problems)), INTERVALS)
    assert repeated.n == 60
    assert repeated.problems == 12
    assert repeated.p == pytest.approx(alone.p, rel=0.2)
