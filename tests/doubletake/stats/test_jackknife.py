"""The jackknife against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from doubletake.stats.jackknife import BLOCK, Jackknife, without_each_cluster


def of_values(values):
    """The jackknife of the mean of single values."""
    values = np.asarray(values, float)[:, None]
    left_out = (values.sum(0) - values) / max(len(values) - 1, 1)
    return Jackknife.of(values.mean(0), left_out, np.ones_like(values))


def test_of_a_mean_it_gives_standard_error_and_skewness():
    values = np.random.default_rng(0).gamma(2, size=40)
    jackknife = of_values(values)
    assert jackknife.error[0] == pytest.approx(values.std(ddof=1) / math.sqrt(40))
    assert jackknife.skewness[0] == pytest.approx(stats.skew(values))
    assert jackknife.clusters[0] == jackknife.effective[0] == 40


def test_without_skewness_the_ends_are_those_of_student():
    values = np.array([-3.0, -1, 0, 1, 3]) + 7
    low, high = of_values(values).ends(0.9)
    t = stats.t.interval(0.9, 4, 7, stats.sem(values))
    assert (low[0], high[0]) == pytest.approx(t)


def test_skewness_moves_only_the_end_on_its_side():
    values = np.random.default_rng(1).exponential(size=12)
    student = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    (low,), (high,) = of_values(values).ends(0.95)
    assert low == pytest.approx(student[0])
    assert high > student[1] + 0.1
    (mirrored_low,), (mirrored_high,) = of_values(-values).ends(0.95)
    assert (mirrored_low, mirrored_high) == pytest.approx((-high, -low))


def test_the_skewed_end_solves_halls_equation():
    """The transformed t statistic of the end is the quantile (Hall 1992)."""
    values = np.random.default_rng(2).exponential(size=15)
    jackknife = of_values(values)
    _, (high,) = jackknife.ends(0.95)
    statistic = (values.mean() - high) / jackknife.error[0]
    a = jackknife.skewness[0] / math.sqrt(15)
    transformed = statistic + a * statistic**2 / 3 + a**2 * statistic**3 / 27 + a / 6
    assert transformed == pytest.approx(-stats.t.ppf(0.975, 14))


def test_large_clusters_count_less_and_empty_ones_not_at_all():
    cases = np.array([[8.0], [1], [1], [0]])
    left_out = np.array([[1.0], [2], [3], [9]])
    jackknife = Jackknife.of(np.array([2.0]), left_out, cases)
    assert jackknife.clusters[0] == 3
    assert jackknife.effective[0] == pytest.approx(100 / 66)
    without_the_empty = Jackknife.of(np.array([2.0]), left_out[:3], cases[:3])
    assert jackknife.error[0] == without_the_empty.error[0] > 0
    assert jackknife.student(0.95)[0] == pytest.approx(stats.t.ppf(0.975, 1))


def test_equal_clusters_have_no_error_and_a_single_one_has_no_estimate():
    assert of_values([0.1] * 12).error[0] == 0
    assert np.isnan(of_values([0.1]).error[0])


def test_each_cluster_is_left_out_in_turn():
    clusters = np.array(["b", "a", "b", "c"])
    values = np.array([1.0, 2, 3, 10])
    means = without_each_cluster(
        lambda weights: weights @ values / weights.sum(1), clusters
    )
    assert means.tolist() == [4, pytest.approx(14 / 3), 6, 2]


def test_many_clusters_are_taken_in_blocks():
    sizes = []

    def statistic(weights):
        sizes.append(len(weights))
        return weights.sum(1)

    counts = without_each_cluster(statistic, np.arange(BLOCK + 7))
    assert sizes == [1, BLOCK, 7]
    assert (counts[1:] == BLOCK + 6).all()
