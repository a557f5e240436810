"""Intervals against closed forms."""

import math

import numpy as np
import pytest

from doubletake.stats.intervals import (
    Resampling,
    cluster_bootstrap,
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


def interval(sums, counts, resamples=4000, confidence=0.95, seed=0):
    return cluster_bootstrap(
        np.asarray(sums, float),
        np.asarray(counts, float),
        Resampling(resamples, confidence, seed),
    )


def test_bootstrap_of_single_cases_has_the_normal_width():
    values = np.random.default_rng(1).normal(size=(2000, 1))
    low, high = interval(values, np.ones_like(values))
    expected = 1.959964 * values.std() / math.sqrt(2000)
    assert (high - low)[0] / 2 == pytest.approx(expected, rel=0.06)
    assert (high + low)[0] / 2 == pytest.approx(values.mean(), abs=expected / 10)


def test_copies_of_a_case_bring_no_certainty():
    values = np.random.default_rng(2).normal(size=(300, 1))
    once = interval(values, np.ones_like(values))
    copied = interval(values * 20, np.full_like(values, 20))
    assert copied == (pytest.approx(once[0]), pytest.approx(once[1]))


def test_bootstrap_of_two_clusters_by_enumeration():
    # Draws of two clusters: (a, a) 1/4 mean 0, (a, b) 1/2 mean 0.75, (b, b) 1/4 mean 1.
    low, high = interval([[0.0], [3.0]], [[1], [3]], confidence=0.4)
    assert (low[0], high[0]) == (0.75, 0.75)
    low, high = interval([[0.0], [3.0]], [[1], [3]], confidence=0.6)
    assert (low[0], high[0]) == (0.0, 1.0)


def test_same_seed_same_interval_and_empty_columns_are_nan():
    sums, counts = [[1.0, 0.0], [2.0, 0.0]], [[1, 0], [1, 0]]
    first, second = interval(sums, counts, seed=5), interval(sums, counts, seed=5)
    assert np.array_equal(first[0], second[0], equal_nan=True)
    assert np.isnan(first[0][1])
    assert np.isnan(first[1][1])
    assert np.isnan(interval([[0.0, 0.0]], [[0, 0]])).all()
    assert np.isnan(interval(np.zeros((0, 2)), np.zeros((0, 2)))[0]).all()
