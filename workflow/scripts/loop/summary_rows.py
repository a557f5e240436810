"""Rows of the tables of causes and of means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_means,
    number,
)
from doubletake.stats.mean_tests import p_of_gain, p_of_mean
from loop.cause_ranks import Ranked
from loop.methods import EXACT, METHODS, SAME_EVENTS, TARGETS
from loop.tables import LOOP_CAUSES, LOOP_MEANS
from pocket.reading import CAUSES, NONE

ALL = "all"
FLAGS = ("shifted", "mended", "spoiled", "correct_before", "correct_after")
EFFECTS = ("steering", "units", "heads")


def causes_table(
    rankings: Mapping[str, Sequence[Ranked]], top: int, intervals: IntervalSettings
) -> pl.DataFrame:
    """`LOOP_CAUSES`: a row per ranking and cause that has an event.

    Args:
        rankings: by name.
        top: how many words count as first.
        intervals: coverage, and fewest problems with an interval.
    """
    rows = []
    for ranking, ranked in rankings.items():
        for cause in (*(one for one in CAUSES if one != NONE), ALL):
            own = [one for one in ranked if cause in (ALL, one.cause)]
            if own:
                row = {"ranking": ranking, "cause": cause, "words": top}
                row |= cause_row(own, top, intervals)
                if ranking == EXACT:
                    others = rankings[SAME_EVENTS]
                    other = [one for one in others if cause in (ALL, one.cause)]
                    row |= over_estimate(own, other, top, intervals)
                rows.append(row)
    tested = [row for row in rows if row["cause"] == ALL]
    p = np.array([np.nan if row["p"] is None else row["p"] for row in tested])
    for row, value in zip(tested, holm_of(p).tolist(), strict=True):
        row["p_holm"] = number(value)
    absent = dict.fromkeys(LOOP_CAUSES.schema)
    return LOOP_CAUSES.frame([absent | row for row in rows])


def over_estimate(
    exact: Sequence[Ranked],
    estimate: Sequence[Ranked],
    top: int,
    intervals: IntervalSettings,
) -> dict[str, float | None]:
    """How much more often exact patching finds the cause, at the same events.

    Args:
        exact: ranked by exact values.
        estimate: the same events, ranked by the estimate.
        top: how many words count as first.
        intervals: coverage, and fewest problems with an interval.
    """
    pairs = zip(exact, estimate, strict=True)
    gains = np.array([float(one.hit(top)) - other.hit(top) for one, other in pairs])
    problems = np.array([one.problem for one in exact])
    (mean,) = cluster_means(gains[:, None], problems, intervals)
    return mean.columns("over_estimate")


def cause_row(
    ranked: Sequence[Ranked], top: int, intervals: IntervalSettings
) -> dict[str, Any]:
    """The columns of `LOOP_CAUSES` from `hits` to `p`."""
    hits = np.array([one.hit(top) for one in ranked], dtype=float)
    chance = np.array([one.chance(top) for one in ranked])
    matched = np.array([one.matched(top) for one in ranked])
    problems = np.array([one.problem for one in ranked])
    (share,) = cluster_means(hits[:, None], problems, intervals, shares=True)
    differences = np.stack([hits - chance, hits - matched], axis=1)
    gain, beyond = cluster_means(differences, problems, intervals)
    return {
        "hits": int(hits.sum()),
        "unnamed": sum(not one.is_named for one in ranked),
        "n": share.n,
        "problems": share.clusters,
        "share": share.value,
        "low": share.low,
        "high": share.high,
        "chance": float(chance.mean()),
        "matched": float(matched.mean()),
        **gain.columns("gain"),
        **beyond.columns("beyond"),
        "p": p_of_gain(hits - chance, chance * (1 - chance), problems, intervals),
    }


def means_table(loop: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`LOOP_MEANS`: every number and flag, and effects minus those of random ones.

    The latter are tested against 0, corrected for their number (Holm).

    Args:
        loop: `LOOP`.
        intervals: coverage, and fewest problems with an interval.
    """
    gains = loop.with_columns(
        steering_gain=pl.col("steering") - pl.col("steering_random"),
        units_gain=pl.col("units_support") - pl.col("units_random"),
        heads_gain=pl.col("heads_support") - pl.col("heads_random"),
    )
    shares = {"has_cause", "exact_agrees", *FLAGS}
    names = dict.fromkeys(
        [
            *(method.column for method in METHODS),
            *(target.column for target in TARGETS.values()),
            *("mass", "steering_random", "units_random", "heads_random"),
            *(f"{name}_gain" for name in EFFECTS),
            *("confidence_after", "exact_agrees"),
            *FLAGS,
        ]
    )
    rows = []
    for name in names:
        own = gains.select("problem", pl.col(name).cast(pl.Float64)).drop_nulls()
        values, problems = own[name].to_numpy(), own["problem"].to_numpy()
        (mean,) = cluster_means(
            values[:, None],
            problems,
            intervals,
            shares=name in shares,
        )
        is_tested = name.endswith("_gain") and own.height > 0
        rows.append(
            {
                "column": name,
                "mean": number(mean.value),
                "low": mean.low,
                "high": mean.high,
                "n": mean.n,
                "problems": mean.clusters,
                "p": p_of_mean(values, problems, intervals) if is_tested else None,
            }
        )
    p = np.array([np.nan if row["p"] is None else row["p"] for row in rows])
    for row, value in zip(rows, holm_of(p).tolist(), strict=True):
        row["p_holm"] = number(value)
    return LOOP_MEANS.frame(rows)
