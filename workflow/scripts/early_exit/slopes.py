"""Slopes: does the confidence change from arrival to arrival within a thought?"""

import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means, number
from early_exit.tables import EARLY_EXIT_SLOPES, SLOPE_MEASURES

# ASSUME: a line through two exits fits anything, so a slope needs three; by hand.
LEAST_EXITS = 3


def trace_slopes(cases: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Least-squares slope of a measure on the exit's number, within each trace.

    `sum((k - mean k)(y - mean y)) / sum((k - mean k)^2)` over the trace's exits k = 1,
    2, ... that have the measure y. Exit 0 is left out: it is before any thought, so its
    step to exit 1 would outweigh all later steps. The level of a trace cancels out, so
    slopes of easy and of hard problems can be averaged.

    Args:
        cases: exits with the columns trace, problem, exit and the measure.
        measure: a column of `EARLY_EXIT`.

    Returns:
        Columns trace, problem, slope, exits; only traces with `LEAST_EXITS` exits.
    """
    exit_number, value = pl.col("exit"), pl.col(measure)
    from_mean = exit_number - exit_number.mean()
    return (
        cases.filter(exit_number > 0, value.is_not_null())
        .group_by("trace", maintain_order=True)
        .agg(
            pl.col("problem").first(),
            slope=(from_mean * (value - value.mean())).sum() / (from_mean**2).sum(),
            exits=pl.len(),
        )
        .filter(pl.col("exits") >= LEAST_EXITS)
    )


def mean_slopes(cases: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """Mean slope of every measure, each trace counting once (`EARLY_EXIT_SLOPES`).

    This is the mean group estimator (Pesaran & Smith 1995). Its interval is over
    problems. It needs no independent exits: noise that
    one exit passes on to the next does not make a slope positive on average.
    """
    rows = []
    for measure in SLOPE_MEASURES:
        slopes = trace_slopes(cases, measure)
        values = slopes["slope"].to_numpy()[:, None]
        (mean,) = cluster_means(values, slopes["problem"].to_numpy(), intervals)
        rows.append(
            {
                "measure": measure,
                "slope": number(mean.value),
                "slope_low": mean.low,
                "slope_high": mean.high,
                "traces": slopes.height,
                "problems": slopes["problem"].n_unique(),
                "exits": int(slopes["exits"].sum()),
            }
        )
    return EARLY_EXIT_SLOPES.frame(rows)
