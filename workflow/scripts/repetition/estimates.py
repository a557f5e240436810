"""Steps of one answer's log-prob from exit to exit: real thought against repetition.

All arms share exit 1, and exit 2 exists in all of them if the thought has a second
arrival. So the first steps of `thought` and `repeated` start at the same value, and
their difference has no bias from the rule by which thoughts stop: whether the thought
went on after exit 1 is the same for both.

For later steps this does not hold. A thought goes on after exit k maybe because it is
unsure there, and this exit belongs to `thought` alone. As in `early_exit`, two means
see this differently: the steps of all thoughts, and those after which the thought went
on. A difference of later steps counts only if both means show it.

A log-prob cannot rise above 0. Both arms meet this ceiling, so they look alike there.
Log-odds, log p - log(1 - p), have no ceiling. `claims` needs both scales.
"""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_means,
    cluster_sums,
    mean_ends,
    number,
)
from doubletake.stats.jackknife import Jackknife, p_against_zero
from repetition.tables import (
    ALL,
    FILLER,
    FIRST,
    FIXED,
    LATER,
    LOG_ODDS,
    LOGPROB,
    MEASURES,
    OUTCOMES,
    REPEATED,
    STATED,
    THOUGHT,
    WENT_ON,
)

LEAST_DOUBT = 1e-6  # 1 - p below it is rounding of float32
COMPARED = (THOUGHT, REPEATED, FILLER)
KEY = ("trace", "exit")


def with_log_odds(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `REPETITION` with the log-odds of the answer, `log_odds`."""
    logprob = rows[LOGPROB].to_numpy()
    doubt = np.maximum(-np.expm1(np.minimum(logprob, 0.0)), LEAST_DOUBT)
    return rows.with_columns(pl.Series(LOG_ODDS, logprob - np.log(doubt), pl.Float64))


def steps_of(rows: pl.DataFrame, answer: str, measure: str) -> pl.DataFrame:
    """Steps from exit k to exit k + 1 of the same trace, arm by arm.

    Args:
        rows: of `REPETITION`, with `log_odds`.
        answer: whose steps.
        measure: a column.

    Returns:
        Columns trace, problem, exit (that of the step's end), part, went_on, before
        (the measure before the step, in `thought`), and the step in each of `COMPARED`.
    """
    exit_number, value = pl.col("exit"), pl.col(measure)
    wide: pl.DataFrame | None = None
    for arm in COMPARED:
        own = rows.filter(arm=arm, answer=answer).sort(*KEY)
        before = value.shift(1).over("trace")
        steps = own.select(
            "trace",
            "problem",
            "exit",
            "arrivals",
            before=before,
            step=value - before,
        ).filter(pl.col("step").is_not_null())
        if wide is None:
            wide = steps.rename({"step": arm})
        else:
            wide = wide.join(
                steps.select(*KEY, pl.col("step").alias(arm)), on=KEY, how="inner"
            )
    assert wide is not None
    return wide.sort(*KEY).with_columns(
        part=pl.when(exit_number == 2).then(pl.lit(FIRST)).otherwise(pl.lit(LATER)),
        went_on=exit_number < pl.col("arrivals"),
    )


def step_rows(rows: pl.DataFrame, intervals: IntervalSettings) -> list[dict[str, Any]]:
    """Rows of `REPETITION_STEPS`.

    Args:
        rows: of `REPETITION`, with `log_odds`.
        intervals: how intervals are computed.
    """
    made = []
    for outcome in OUTCOMES:
        own = rows.filter(outcome=outcome)
        if own.is_empty():
            continue
        for answer in (FIXED, STATED):
            for measure in MEASURES:
                steps = steps_of(own, answer, measure)
                for part in (FIRST, LATER):
                    taken = steps.filter(part=part)
                    went_on = taken.filter(pl.col("went_on"))
                    name = {"outcome": outcome, "answer": answer, "measure": measure}
                    made += [
                        name
                        | {"part": part, "which": which}
                        | compared_steps(some, intervals)
                        for which, some in ((ALL, taken), (WENT_ON, went_on))
                    ]
    return made


def compared_steps(steps: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """Mean steps of the arms, their paired difference and their ratio."""
    problems = steps["problem"].to_numpy()
    values = steps.select(*COMPARED, more=pl.col(THOUGHT) - pl.col(REPEATED)).to_numpy()
    means = dict(
        zip(
            (*COMPARED, "more"),
            cluster_means(values, problems, intervals),
            strict=True,
        )
    )
    row: dict[str, Any] = {
        "steps": steps.height,
        "traces": steps["trace"].n_unique(),
        "problems": steps["problem"].n_unique(),
        "before": steps["before"].mean(),
    }
    p = dict(zip(means, p_values(values, problems, intervals), strict=True))
    for name, mean in means.items():
        row |= mean.columns(name)
        if name != THOUGHT:
            row[f"{name}_p"] = p[name]
    lowest = means[THOUGHT].low
    rises = lowest is not None and lowest > 0
    whole, part = (steps[arm].to_numpy() for arm in (THOUGHT, REPEATED))
    return row | (ratio(part, whole, problems, intervals) if rises else NO_SHARE)


def p_values(
    values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
) -> list[float | None]:
    """Of each column's mean against 0 (`p_against_zero`); None without an interval.

    Args:
        values: [case, column].
        problems: [case].
        intervals: fewest problems with an interval.
    """
    cases, width = values.shape
    columns = np.tile(np.arange(width), cases)
    sums, counts = cluster_sums(
        values.ravel(), np.repeat(problems, width), columns, width
    )
    total, n = sums.sum(0), counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        left_out = (total - sums) / (n - counts)
        jackknife = Jackknife.of(total / n, left_out, counts)
    low, _ = mean_ends(jackknife, intervals)
    p = np.where(np.isnan(low), np.nan, p_against_zero(jackknife))
    return [number(each) for each in p]


NO_SHARE: dict[str, float | None] = dict.fromkeys(("share", "share_low", "share_high"))


def ratio(
    parts: np.ndarray,
    wholes: np.ndarray,
    problems: np.ndarray,
    intervals: IntervalSettings,
) -> dict[str, float | None]:
    """Sum of `parts` over sum of `wholes`, with its interval, as columns `share`."""
    columns = np.zeros(len(parts), dtype=np.int64)
    part, counts = cluster_sums(parts, problems, columns, 1)
    whole, _ = cluster_sums(wholes, problems, columns, 1)
    value = part.sum(0) / whole.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = (part.sum(0) - part) / (whole.sum(0) - whole)
    low, high = mean_ends(Jackknife.of(value, left_out, counts), intervals)
    return {
        "share": number(value[0]),
        "share_low": number(low[0]),
        "share_high": number(high[0]),
    }
