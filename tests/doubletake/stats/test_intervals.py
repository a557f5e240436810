"""Intervals against closed forms."""

import math

import numpy as np
import pytest

from doubletake.stats.intervals import (
    IntervalSettings,
    Mean,
    cluster_ends,
    cluster_means,
    cluster_sums,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval(hits, n, low, high):
    assert wilson_interval(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_ends_solve_the_score_equation():
    for end in wilson_interval(7.5, 23, confidence=0.9):
        score = (7.5 / 23 - end) / math.sqrt(end * (1 - end) / 23)
        assert abs(score) == pytest.approx(1.6448536269514722)


def test_wilson_of_none_and_of_all_ends_exactly_at_0_and_1():
    for n in (10, 12.3, 20, 33):
        assert wilson_interval(0, n)[0] == 0
        assert wilson_interval(n, n)[1] == 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_no_proportion_is_refused(hits, n):
    with pytest.raises(ValueError, match="not a proportion"):
        wilson_interval(hits, n)


def test_cluster_sums_leave_out_nan():
    sums, counts = cluster_sums(
        values=np.array([1.0, 2.0, np.nan, 4.0, 5.0]),
        clusters=np.array(["b", "a", "a", "b", "b"]),
        columns=np.array([0, 1, 0, 0, 1]),
        width=3,
    )
    assert sums.tolist() == [[0, 2, 0], [5, 5, 0]]
    assert counts.tolist() == [[0, 1, 0], [2, 1, 0]]


def ends(sums, counts, shares=False, **settings):
    low, high = cluster_ends(
        np.asarray(sums, float),
        np.asarray(counts, float),
        IntervalSettings(**settings),
        shares=shares,
    )
    return np.stack([low, high])


def test_intervals_of_single_cases_have_the_normal_width():
    values = np.random.default_rng(1).normal(size=(2000, 1))
    (low,), (high,) = ends(values, np.ones_like(values))
    expected = 1.959964 * values.std() / math.sqrt(2000)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.01)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=expected / 10)


def test_copies_of_a_case_bring_no_certainty():
    values = np.random.default_rng(2).normal(size=(300, 1))
    once = ends(values, np.ones_like(values))
    assert ends(values * 20, np.full_like(values, 20)) == pytest.approx(once)


def test_copies_of_a_case_bring_no_certainty_on_a_share():
    hits = np.random.default_rng(3).binomial(1, 0.3, size=(60, 1)).astype(float)
    once = ends(hits, np.ones_like(hits), shares=True)
    assert ends(hits * 9, np.full_like(hits, 9), shares=True) == pytest.approx(once)
    low, high = wilson_interval(hits.sum(), 60)
    assert once[0, 0] == pytest.approx(low, abs=0.01)
    assert once[1, 0] == pytest.approx(high, abs=0.01)


def test_independent_cases_of_a_problem_count_on_a_share():
    """With equal shares everywhere but for chance, n is near the number of cases."""
    hits = np.random.default_rng(4).binomial(20, 0.3, size=(200, 1)).astype(float)
    (low,), (high,) = ends(hits, np.full_like(hits, 20), shares=True)
    expected = wilson_interval(hits.sum(), 4000)
    assert (low, high) == pytest.approx(expected, abs=0.004)


def test_a_share_of_0_or_1_gets_wilson_with_n_clusters():
    counts = np.full((12, 2), 3.0)
    given = ends(np.stack([np.zeros(12), counts[:, 1]], axis=1), counts, shares=True)
    assert given[:, 0] == pytest.approx(wilson_interval(0, 12))
    assert given[:, 1] == pytest.approx(wilson_interval(12, 12))


def test_an_interval_does_not_cross_0_if_no_cluster_does():
    values = np.array([[9.0], *[[0.01]] * 11])
    assert ends(values, np.ones_like(values))[0, 0] == 0
    assert ends(-values, np.ones_like(values))[1, 0] == 0
    values[1] = -0.01
    assert ends(values, np.ones_like(values))[0, 0] < 0
    values[1] = 0  # at 0 no cluster says on which side the mean is
    assert ends(values, np.ones_like(values))[0, 0] < 0


def test_no_interval_where_all_clusters_are_equal_or_too_few():
    equal = np.full((12, 1), 0.3)
    assert np.isnan(ends(equal, np.ones_like(equal))).all()
    values = np.random.default_rng(5).normal(size=(9, 1))
    assert np.isnan(ends(values, np.ones_like(values))).all()
    assert not np.isnan(ends(values, np.ones_like(values), least_problems=9)).any()
    assert np.isnan(ends([[0.0, 0.0]], [[0, 0]], least_problems=1)).all()
    assert np.isnan(ends(np.zeros((0, 2)), np.zeros((0, 2)))).all()


def test_clusters_without_a_value_in_a_column_do_not_count_there():
    draws = np.random.default_rng(6).normal(size=(12, 2))
    counts = np.ones((12, 2))
    draws[:3, 1], counts[:3, 1] = 0, 0
    given = ends(draws, counts)
    assert not np.isnan(given[:, 0]).any()
    assert np.isnan(given[:, 1]).all()
    nine = ends(draws[3:, 1:], counts[3:, 1:], least_problems=9)
    assert ends(draws, counts, least_problems=9)[:, 1] == pytest.approx(nine[:, 0])


def test_means_say_how_many_values_and_clusters_they_have():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [5.0, 2.0]])
    first, second = cluster_means(values, np.array(["a", "a", "b"]), IntervalSettings())
    assert first == Mean(3.0, None, None, 3, 2)
    assert second == Mean(2.0, None, None, 1, 1)
