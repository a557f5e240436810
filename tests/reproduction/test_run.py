"""Numbers taken from the tables of a run, and comparisons of their intervals."""

import numpy as np
import polars as pl
import pytest
from tiny_reproduction import run_with

from doubletake.stats.intervals import IntervalSettings, cluster_means
from reproduction.run import Finding, NotMeasured, all_of

SUMMARY = {"arrivals": 4, "exit": 1, "traces": 20, "problems": 18}
SUMMARY |= {"logit": 24.0, "logit_low": 23.0, "logit_high": 25.0}


def test_a_cell_is_the_row_that_was_asked_for():
    other = SUMMARY | {"exit": 2, "logit": 9.0}
    run = run_with(early_exit__summary=[other, SUMMARY])
    found = run.cell("early_exit/summary", "logit", "traces", arrivals=4, exit=1)
    assert (found.value, found.low, found.high) == (24, 23, 25)
    assert (found.cases, found.problems) == (20, 18)
    assert (found.table, found.column) == ("early_exit/summary", "logit")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "no stage of the workflow writes the table early_exit/summary"),
        ([], "the table early_exit/summary has no rows"),
        ([SUMMARY | {"exit": 3}], "has no row of arrivals = 4, exit = 1"),
        ([SUMMARY | {"logit": None}], "early_exit/summary.logit is empty"),
    ],
)
def test_what_a_run_does_not_hold_is_named(rows, words):
    run = run_with(**({} if rows is None else {"early_exit__summary": rows}))
    with pytest.raises(NotMeasured, match=words):
        run.cell("early_exit/summary", "logit", "traces", arrivals=4, exit=1)


def test_a_mean_has_its_interval_over_problems():
    rng = np.random.default_rng(0)
    cases = pl.DataFrame(
        {"value": [*rng.normal(size=40), None], "problem": [*np.arange(40) // 2, 0]}
    )
    found = run_with().mean("traces", "tokens", cases)
    values = cases["value"].drop_nulls().to_numpy()
    assert found.value == pytest.approx(values.mean())
    by_hand = cluster_means(values[:, None], np.arange(40) // 2, IntervalSettings())[0]
    assert (found.low, found.high) == (by_hand.low, by_hand.high)
    assert (found.cases, found.problems) == (40, 20)
    with pytest.raises(NotMeasured, match="the table traces has no case"):
        run_with().mean("traces", "tokens", cases.clear())


def test_an_untested_part_leaves_the_whole_untested():
    assert all_of([True, True]) is True
    assert all_of([True, False]) is False
    assert all_of([False, None]) is None
    assert all_of([]) is None


@pytest.mark.parametrize(
    ("low", "high", "positive", "above"),
    [
        (0.1, 0.4, True, False),
        (0.6, 0.9, True, True),
        (-0.1, 0.9, False, False),
        (None, None, None, None),
    ],
)
def test_positive_and_above_are_of_the_whole_interval(low, high, positive, above):
    found = Finding("t", "c", 0.5, low, high)
    assert found.is_positive is positive
    assert found.above(Finding("t", "c", 0.3, 0.2, 0.5)) is above


@pytest.mark.parametrize("correlation", [-0.99, 0.0, 0.9])
def test_equal_means_are_seldom_above_each_other_however_they_depend(correlation):
    """The worst case is a correlation of -1, at which the level is just reached."""
    rng = np.random.default_rng(1)
    covariance = [[1, correlation], [correlation, 1]]
    claims = 0
    for _ in range(400):
        values = rng.multivariate_normal([0, 0], covariance, size=30)
        means = cluster_means(values, np.arange(30), IntervalSettings())
        one, other = (Finding("t", "c", m.value, m.low, m.high) for m in means)
        claims += bool(one.above(other))
    assert claims / 400 <= 0.025 + 3 * (0.025 * 0.975 / 400) ** 0.5


def test_a_mean_that_is_higher_is_found_above():
    rng = np.random.default_rng(2)
    values = rng.normal([1.5, 0], 1, size=(30, 2))
    means = cluster_means(values, np.arange(30), IntervalSettings())
    one, other = (Finding("t", "c", m.value, m.low, m.high) for m in means)
    assert one.above(other)
    assert other.above(one) is False
