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
    others = np.array([0.1, -0.4, 0.2])
    assert rank_p(0.5, others) == 1 / 4
    assert rank_p(-0.4, others) == 2 / 4
    assert rank_p(0.0, others) == 1
