"""P-values agree with the intervals; Holm counts only what was tested."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from repair.group_means import (
    group_difference,
    group_means,
    group_ratios,
    least_changed,
)

S = IntervalSettings(confidence=0.95, least_problems=3)


def test_a_p_value_is_below_the_level_where_the_interval_excludes_zero():
    rng, seen = np.random.default_rng(0), set()
    for _ in range(400):
        n = int(rng.integers(20, 60))
        values = rng.exponential(size=n) * rng.choice([-1, 1]) + rng.normal() * 0.7
        clusters = rng.integers(0, n, n)
        means = group_means(values, clusters, np.zeros(n, int), 1, S)
        excludes = bool(means.low[0] > 0 or means.high[0] < 0)
        assert (means.p[0] < 0.05) == excludes
        seen.add((excludes, bool(means.value[0] > 0)))
    assert len(seen) == 4


def test_without_skewness_it_is_the_t_test():
    values = np.array([-2.0, -1, 0, 1, 2, -2, -1, 0, 1, 2]) + 0.9
    means = group_means(values, np.arange(10), np.zeros(10, int), 1, S)
    assert means.p[0] == pytest.approx(ttest_1samp(values, 0).pvalue)


def test_groups_are_as_if_alone():
    rng = np.random.default_rng(1)
    values, problems = rng.normal(1, 1, 60), rng.integers(0, 15, 60)
    groups = rng.integers(0, 2, 60)
    both = group_means(values, problems, groups, 3, S)
    for group in (0, 1):
        own = groups == group
        zeros = np.zeros(own.sum(), int)
        alone = group_means(values[own], problems[own], zeros, 1, S)
        assert both.columns("m", group) == pytest.approx(alone.columns("m", 0))
        assert both.p[group] == pytest.approx(alone.p[0])
        assert both.cases(group) == alone.cases(0)
    assert both.columns("m", 2) == {"m": None, "m_low": None, "m_high": None}
    assert both.cases(2) == {"n": 0, "problems": 0}


def test_a_ratio_of_sums():
    top, bottom = np.array([1.0, 2, 6, 0]), np.array([2.0, 2, 2, 4])
    ratio = group_ratios(top, bottom, np.arange(4), np.zeros(4, int), 1, S)
    assert ratio.value[0] == pytest.approx(9 / 10)
    assert ratio.low[0] < 0.9 < ratio.high[0]
    nothing = group_ratios(top, 0 * bottom, np.arange(4), np.zeros(4, int), 1, S)
    assert nothing.columns("r", 0)["r"] is None


def test_few_changed_problems_are_no_test():
    assert [least_changed(level) for level in (0.95, 0.9, 0.99)] == [6, 5, 8]
    for changed, tested in ((5, False), (6, True)):
        values = np.zeros(40)
        values[:changed] = 1
        means = group_means(values, np.arange(40), np.zeros(40, int), 1, S)
        assert (means.changed[0], not np.isnan(means.p[0])) == (changed, tested)


def test_a_difference_needs_enough_problems_on_both_sides():
    values, second = np.array([1.0, 0, 1, 0, 0, 1]), np.array([0, 0, 0, 1, 1, 1], bool)
    apart = group_difference(values, np.arange(6), second, S)
    assert apart.value[0] == pytest.approx(1 / 3)
    assert apart.low[0] < 1 / 3 < apart.high[0]
    assert apart.cases(0) == {"n": 6, "problems": 3}
    few = group_difference(values, np.array([0, 1, 2, 3, 3, 4]), second, S)
    assert np.isnan(few.low[0])
    assert np.isnan(few.p[0])


def test_holm_counts_only_what_was_tested():
    corrected = holm_of(np.array([0.02, np.nan, 0.03]))
    np.testing.assert_allclose(corrected, [0.04, np.nan, 0.04])
