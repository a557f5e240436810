"""P-values of means over problems hold their level, and find what is there."""

import numpy as np
import pytest

from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.stats.mean_tests import p_of_gain, p_of_mean

INTERVALS = IntervalSettings()


def test_a_mean_is_told_where_its_interval_excludes_zero():
    draw = np.random.default_rng(0)
    for shift in np.linspace(-0.8, 0.8, 17):
        values, problems = draw.normal(size=24) + shift, np.arange(24) % 12
        (mean,) = cluster_means(values[:, None], problems, INTERVALS)
        p = p_of_mean(values, problems, INTERVALS)
        assert (p < 0.05) == (mean.low > 0 or mean.high < 0)


def test_hits_by_chance_are_told_at_most_at_the_nominal_rate():
    draw, told = np.random.default_rng(1), 0
    for _ in range(300):
        chance = draw.uniform(0.1, 0.5, 30)
        gains = (draw.random(30) < chance) - chance
        variances = chance * (1 - chance)
        told += p_of_gain(gains, variances, np.arange(30), INTERVALS) < 0.05
    assert told <= 25  # 15 expected, 25 is the 99% quantile


def test_equal_gains_have_a_p_value_by_chance_alone():
    gains, problems = np.full(14, 0.75), np.arange(14)
    p = p_of_gain(gains, np.full(14, 0.25 * 0.75), problems, INTERVALS)
    assert p == pytest.approx(0, abs=1e-6)
    assert p_of_mean(gains, problems, INTERVALS) is None
    assert p_of_gain(0 * gains, 0 * gains, problems, INTERVALS) is None


def test_few_problems_are_not_tested():
    values, problems = np.arange(9.0), np.arange(9)
    assert p_of_mean(values, problems, INTERVALS) is None
    assert p_of_gain(values, values, problems, INTERVALS) is None
    assert p_of_gain(values[:0], values[:0], problems[:0], INTERVALS) is None
