"""Repair against damage: what thinking on does to the answer that a thought holds.

The input has one row per arrival: the columns trace, problem, arrival (from 1),
`answer` (forced there, null if there is none), `correct`, `end_correct` (of the whole
thought), `tokens_after` (thought tokens after the arrival) and `turned` (whether the
thought turns back before its next arrival, or before its end).
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
from doubletake.stats.jackknife import Jackknife


def steps(arrivals: pl.DataFrame) -> pl.DataFrame:
    """From each arrival to the next one of the same thought.

    Returns:
        trace, problem, arrival, turned, correct, next_correct, and shifted: whether the
        forced answer changes. No answer counts as an answer of its own.
    """
    following = pl.col("answer", "correct").shift(-1).over("trace", order_by="arrival")
    return (
        arrivals.with_columns(
            following.name.prefix("next_"),
            is_last=pl.col("arrival") == pl.col("arrival").max().over("trace"),
        )
        .filter(~pl.col("is_last"))
        .with_columns(shifted=pl.col("answer").ne_missing(pl.col("next_answer")))
        .select(
            *("trace", "problem", "arrival", "turned"),
            *("correct", "next_correct", "shifted"),
        )
    )


def rates_by_arrival(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """Rates of repair (wrong to right) and damage (right to wrong) of each arrival.

    Returns:
        One row per arrival, `change` (repair, damage) and `until` (next, end): `rate`
        with its ends, `n` (arrivals that could change) and `problems`. Until the next
        arrival, only arrivals with a next one count.
    """
    to_next = steps(arrivals).rename({"next_correct": "later"})
    to_end = arrivals.rename({"end_correct": "later"})
    rows: list[dict[str, Any]] = []
    for until, table in (("next", to_next), ("end", to_end)):
        for arrival in table["arrival"].unique().sort():
            for change, now in (("repair", False), ("damage", True)):
                cases = table.filter(arrival=arrival, correct=now)
                if cases.height:
                    changed = cases["later"].to_numpy() != now
                    key = {"arrival": arrival, "until": until, "change": change}
                    rows.append(key | _rate(changed, cases["problem"], s))
    return pl.DataFrame(rows)


def gain_by_arrival(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """Whether thinking on from each arrival is worth its tokens.

    Returns:
        One row per arrival: `gain`, accuracy at the end minus at the arrival on the
        same thoughts, with its ends; `n`, `problems`; `tokens_after`, mean thought
        tokens after it; `gain_per_100`, gain per 100 of these tokens, null without any.
    """
    rows = []
    for arrival in arrivals["arrival"].unique().sort():
        cases = arrivals.filter(arrival=arrival)
        gains = cases["end_correct"].cast(float) - cases["correct"].cast(float)
        values = gains.to_numpy()[:, None]
        (mean,) = cluster_means(values, cases["problem"].to_numpy(), s)
        after = float(cases["tokens_after"].to_numpy().mean())
        rows.append(
            {
                "arrival": arrival,
                "gain": mean.value,
                "gain_low": mean.low,
                "gain_high": mean.high,
                "n": mean.n,
                "problems": mean.clusters,
                "tokens_after": after,
                "gain_per_100": 100 * mean.value / after if after else None,
            }
        )
    return pl.DataFrame(rows)


def belief_shift(arrivals: pl.DataFrame, s: IntervalSettings) -> dict[str, Any]:
    """How often the forced answer changes across a turn, and without one.

    Returns:
        `turned` and `straight`, each with its ends, `_n` and `_problems`: share of the
        steps to the next arrival at which the answer changes. `difference` with its
        ends: the first minus the second, by the jackknife over problems. Its interval
        needs the least number of problems on both sides. None where a side has no
        step.
    """
    table = steps(arrivals)
    row: dict[str, Any] = {}
    for name, turned in (("turned", True), ("straight", False)):
        cases = table.filter(turned=turned)
        rate = _rate(cases["shifted"].to_numpy(), cases["problem"], s)
        row |= {
            name: rate["rate"],
            **{f"{name}_{key}": rate[f"rate_{key}"] for key in ("low", "high")},
            **{f"{name}_{key}": rate[key] for key in ("n", "problems")},
        }
    return row | _difference(table, s)


def lost_answers(thoughts: pl.DataFrame, by: str, s: IntervalSettings) -> pl.DataFrame:
    """Thoughts that were right at an arrival and end wrong.

    Args:
        thoughts: one row per thought: problem, was_right, end_correct and `by`.
        by: a column, such as the number of turns or the cause of the first.
        s: coverage, and fewest problems with an interval.

    Returns:
        One row per value of `by`: `rate` with its ends, of all thoughts with this
        value; `n`, `problems`.
    """
    lost = pl.col("was_right") & ~pl.col("end_correct")
    rows = []
    for value in thoughts[by].unique().sort():
        cases = thoughts.filter(pl.col(by).eq_missing(pl.lit(value)))
        flags = cases.select(lost=lost)["lost"].to_numpy()
        rows.append({by: value} | _rate(flags, cases["problem"], s))
    return pl.DataFrame(rows)


def _rate(
    flags: np.ndarray, problems: pl.Series, s: IntervalSettings
) -> dict[str, Any]:
    """Share of true flags, with its interval over problems."""
    values = np.asarray(flags, dtype=float)[:, None]
    (mean,) = cluster_means(values, problems.to_numpy(), s, shares=True)
    return {
        "rate": number(mean.value),
        "rate_low": mean.low,
        "rate_high": mean.high,
        "n": mean.n,
        "problems": mean.clusters,
    }


def _difference(table: pl.DataFrame, s: IntervalSettings) -> dict[str, float | None]:
    """Share of shifts with a turn minus that without, with its interval."""
    sums, counts = cluster_sums(
        table["shifted"].cast(float).to_numpy(),
        table["problem"].to_numpy(),
        1 - table["turned"].cast(int).to_numpy(),
        2,
    )
    low = high = np.array([np.nan])
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = sums.sum(0) / counts.sum(0)
        left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    if (counts > 0).sum(0).min() >= s.least_problems:
        value, others = np.array([first - second]), left_out @ [1.0, -1.0]
        jackknife = Jackknife.of(value, others[:, None], counts.sum(1, keepdims=True))
        low, high = mean_ends(jackknife, s)
    return {
        "difference": number(first - second),
        "difference_low": number(low[0]),
        "difference_high": number(high[0]),
    }
