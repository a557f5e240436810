"""Runs, slopes and tests by hand, against scipy, and how often they are wrong."""

import numpy as np
import pytest
from scipy.stats import binomtest, linregress

from doubletake.stats.draws import array_generator
from steering.trends import (
    Run,
    longest_run,
    rank_p,
    sign_test,
    slopes,
    whole_window,
)


@pytest.mark.parametrize(
    ("means", "run"),
    [
        ([0.1, 0.2, 0.2, 0.5, 0.4], Run(0, 3, rises=True)),
        ([0.5, 0.4, 0.1, 0.2], Run(0, 2, rises=False)),
        ([0.3, 0.3, 0.3], None),
        ([0.1, 0.2, 0.1, 0.9], Run(2, 3, rises=True)),  # equal length, larger change
        ([0.5], None),
    ],
)
def test_longest_run(means, run):
    assert longest_run(np.array(means)) == run


@pytest.mark.parametrize(
    ("whole", "none", "window"),
    [
        ([False, True, True, True, False, True], 2, range(1, 4)),
        ([True, True, True], 1, range(3)),
        ([False, True, False], 1, range(1, 2)),
        ([True, False, True, True], 2, range(2, 4)),
    ],
)
def test_the_window_ends_where_text_breaks_first(whole, none, window):
    assert whole_window(whole, none) == window


def test_slopes_equal_those_of_scipy():
    draw = array_generator(0, 1)
    strengths, values = draw.normal(size=6), draw.normal(size=(3, 6))
    expected = [linregress(strengths, row).slope for row in values]
    assert slopes(strengths, values) == pytest.approx(expected)


@pytest.mark.parametrize(("above", "below"), [(9, 2), (5, 5), (0, 7), (1, 0)])
def test_the_sign_test_equals_that_of_scipy(above, below):
    values = np.array([1.0] * above + [-1.0] * below + [0.0] * 3)
    found = sign_test(values, least=3)
    expected = binomtest(above, above + below).pvalue
    assert found == (above, below, pytest.approx(expected))


def test_too_few_problems_have_no_p_value_and_zeros_say_nothing():
    assert sign_test(np.ones(9), least=10)[2] is None
    assert sign_test(np.zeros(12), least=10) == (0, 0, 1.0)


def test_the_rank_counts_the_vector_itself():
    others = np.array([0.1, -0.1, 0.0, 0.05])
    assert rank_p(0.9, others) == 1 / 5
    assert rank_p(0.01, others) == 1
    # All random vectors rise alike: a slope of 0 is the odd one.
    assert rank_p(0.0, 1 + others) == 1 / 5


def test_the_rank_is_as_often_small_as_it_claims():
    draw = array_generator(0, 2)
    every = draw.normal(0.5, 0.2, (2000, 41))
    found = [rank_p(row[0], row[1:]) for row in every]
    assert 0.035 < np.mean(np.array(found) <= 0.05) < 0.062  # 2/41, three errors


def test_the_sign_test_is_rarely_wrong_and_finds_an_effect():
    draw = array_generator(0, 3)

    def share(shift):
        values = np.sign(draw.normal(shift, 1, (1000, 40)))
        return np.mean([sign_test(row, 10)[2] <= 0.05 for row in values])

    assert share(0) < 0.07
    assert share(0.8) > 0.95
