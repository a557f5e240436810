"""Slopes within thoughts: by hand, and whether simulated claims about them hold."""

import numpy as np
import polars as pl
import pytest

from doubletake.stats.intervals import IntervalSettings
from early_exit.slopes import mean_slopes, trace_slopes

INTERVALS = IntervalSettings(confidence=0.95, least_problems=2)


def cases_of(rows):
    """Exits from (trace, exit, logit); the problem is the trace's first letter."""
    return pl.DataFrame(
        [
            {"trace": trace, "problem": trace[0], "exit": number, "logit": logit}
            for trace, number, logit in rows
        ],
        schema={
            "trace": pl.String,
            "problem": pl.String,
            "exit": pl.Int32,
            "logit": pl.Float64,
        },
    ).with_columns(whole_logprob=-pl.col("logit"))


ROWS = [
    *[("a/0", k, y) for k, y in enumerate((-90.0, 1.0, 3.0, 5.0))],
    *[("a/1", k, y) for k, y in enumerate((-90.0, 7.0, 9.0, 8.0, 12.0))],
    *[("b/0", k, y) for k, y in enumerate((-90.0, 1.0, 50.0))],  # two exits only
    *[("c/0", k, y) for k, y in enumerate((-90.0, 4.0, None, 3.0, 2.5))],
]


def test_slopes_are_least_squares_within_each_trace_from_exit_1_on():
    slopes = trace_slopes(cases_of(ROWS), "logit")
    expected = {
        "a/0": (2.0, 3),
        "a/1": (np.polyfit([1, 2, 3, 4], [7, 9, 8, 12], 1)[0], 4),
        "c/0": (np.polyfit([1, 3, 4], [4, 3, 2.5], 1)[0], 3),
    }
    assert slopes["trace"].to_list() == sorted(expected)
    for trace, slope, exits in slopes.select("trace", "slope", "exits").iter_rows():
        assert (slope, exits) == (pytest.approx(expected[trace][0]), expected[trace][1])


def test_every_trace_counts_once_and_each_measure_has_a_row():
    logit, logprob = mean_slopes(cases_of(ROWS), INTERVALS).to_dicts()
    slopes = trace_slopes(cases_of(ROWS), "logit")["slope"]
    assert logit["slope"] == pytest.approx(slopes.mean())
    assert (logit["traces"], logit["problems"], logit["exits"]) == (3, 2, 10)
    assert logprob["measure"] == "whole_logprob"
    assert logprob["slope"] == pytest.approx(-slopes.mean())


def test_slopes_on_too_few_problems_have_no_interval():
    table = mean_slopes(cases_of(ROWS), IntervalSettings(0.95, least_problems=3))
    assert table["slope"].null_count() == 0
    assert table["slope_low"].to_list() == [None, None]


def test_without_slopes_nothing_is_tested():
    for rows in ([], ROWS[:3]):
        table = mean_slopes(cases_of(rows), INTERVALS)
        assert table["traces"].to_list() == [0, 0]
        for name in ("slope", "slope_low", "slope_high"):
            assert table[name].to_list() == [None, None]


def simulated(rng, slope, *, walk):
    """Exits of 40 problems, two thoughts each, of one to seven arrivals.

    Problems and thoughts differ in their level and in their slope, and harder problems
    have more arrivals. With `walk` the noise of an exit stays for all later exits.
    """
    traces, problems = 80, 40
    problem = np.repeat(np.arange(problems), 2)
    ease = rng.normal(size=problems)[problem]
    arrivals = np.clip(np.round(3.5 - ease + rng.normal(size=traces)), 1, 7).astype(int)
    own = slope + 0.2 * rng.normal(size=problems)[problem]
    noise = rng.normal(size=(traces, 8))
    noise = noise.cumsum(1) if walk else noise
    level = 20 + 3 * ease
    logits = level[:, None] + own[:, None] * np.arange(8) + noise
    logits[:, 0] -= 10  # before any thought
    used = np.arange(8) <= arrivals[:, None]
    trace, number = np.nonzero(used)
    return pl.DataFrame(
        {
            "trace": trace,
            "problem": problem[trace],
            "exit": number.astype(np.int32),
            "logit": logits[used],
            "whole_logprob": logits[used],
        }
    )


def claims(slope, *, walk, runs):
    """Shares of simulated studies in which the logit is said to rise and to fall."""
    rng = np.random.default_rng(7)
    tables = [
        mean_slopes(simulated(rng, slope, walk=walk), INTERVALS) for _ in range(runs)
    ]
    lows = np.array([table["slope_low"][0] for table in tables])
    highs = np.array([table["slope_high"][0] for table in tables])
    return float(np.mean(lows > 0)), float(np.mean(highs < 0))


@pytest.mark.parametrize("walk", [False, True])
def test_without_a_slope_few_studies_claim_one(walk):
    # Nominal: 2.5% on each side; 500 studies estimate it within 0.7%.
    rises, falls = claims(0.0, walk=walk, runs=500)
    assert rises < 0.05
    assert falls < 0.05
    assert rises + falls < 0.08


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_is_found(sign):
    rises, falls = claims(0.3 * sign, walk=False, runs=50)
    found, wrong = (rises, falls) if sign > 0 else (falls, rises)
    assert found > 0.8
    assert wrong == 0
