"""Slopes: does the confidence change from arrival to arrival within a thought?

Whether a thought has a further arrival can depend on its confidence. Two means of steps
see this differently, with the confidence of exit k as `y_k`:

- Steps of all thoughts. If `y` is a walk (what an exit adds stays), their mean is 0 by
  whatever rule thoughts stop, because stopping after k does not know the step to k + 1.
  If exits differ by independent noise, thoughts that stop when they are sure make the
  mean positive: what goes on is low by chance, and the next exit is not.
- Steps to exits after which the thought went on. If exits differ by independent noise,
  the exits that are left are all drawn alike, so their mean is 0. If `y` is a walk,
  thoughts that stop when they are sure make it negative.

These errors are on opposite sides, so a rise or a fall counts only if both means show
it (intersection-union test, Berger 1982). Known failure: noise that fades over several
exits gives both means the same sign from exit 2 on. `test_slopes.py` has the rates.
"""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means, number
from early_exit.tables import (
    ALL_STEPS,
    EARLY_EXIT_SLOPES,
    FIRST_STEP,
    LATER_STEPS,
    SLOPE_MEASURES,
    WENT_ON,
)


def steps_of(cases: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Steps of a measure from exit k to exit k + 1 of the same trace, for k >= 1.

    Exit 0 is left out: it is before any thought. There is no step from or to an exit
    without the measure. A step is within a trace, so the level of a trace cancels out.

    Args:
        cases: exits with the columns trace, problem, exit and the measure.
        measure: a column of `EARLY_EXIT`.

    Returns:
        Columns trace, problem, part (`first` or `later`), step, and went_on: whether
        the trace has a further exit after the step.
    """
    exit_number, value = pl.col("exit"), pl.col(measure)
    return (
        cases.filter(exit_number > 0)
        .sort("trace", "exit")
        .select(
            "trace",
            "problem",
            part=pl.when(exit_number == 2)
            .then(pl.lit(FIRST_STEP))
            .otherwise(pl.lit(LATER_STEPS)),
            step=value - value.shift(1).over("trace"),
            went_on=exit_number < exit_number.max().over("trace"),
        )
        .filter(pl.col("step").is_not_null())
    )


def mean_slopes(cases: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """Mean step of every measure and part, each step counting once.

    Returns:
        `EARLY_EXIT_SLOPES`, with intervals over problems.
    """
    rows: list[dict[str, Any]] = []
    for measure in SLOPE_MEASURES:
        steps = steps_of(cases, measure)
        for part in (FIRST_STEP, LATER_STEPS):
            taken = steps.filter(part=part)
            row = {"measure": measure, "part": part}
            rows.append(row | {"which": ALL_STEPS} | mean_step(taken, intervals))
            went_on = taken.filter(pl.col("went_on"))
            rows.append(row | {"which": WENT_ON} | mean_step(went_on, intervals))
    return EARLY_EXIT_SLOPES.frame(rows)


def mean_step(steps: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """Mean of steps, its interval and its cases, as columns of `EARLY_EXIT_SLOPES`."""
    values = steps["step"].to_numpy()[:, None]
    (mean,) = cluster_means(values, steps["problem"].to_numpy(), intervals)
    return {
        "slope": number(mean.value),
        "slope_low": mean.low,
        "slope_high": mean.high,
        "steps": steps.height,
        "traces": steps["trace"].n_unique(),
        "problems": mean.clusters,
    }


def direction(lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """1 for a rise, -1 for a fall, 0 if neither is shown.

    Args:
        lows: `[2, ...]`, low ends: of all steps, and of those after which the thought
            went on. NaN without an interval.
        highs: `[2, ...]`, high ends.
    """
    return (lows > 0).all(0).astype(int) - (highs < 0).all(0)
