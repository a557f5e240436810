"""Rows of the tables of causes and of means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_means,
    cluster_sums,
    number,
)
from doubletake.stats.jackknife import Jackknife
from doubletake.stats.paired_test import two_sided
from loop.cause_ranks import Ranked
from loop.methods import EXACT, METHODS, SAME_EVENTS, TARGETS
from loop.rank_correlation import larger_p
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
        "p": p_of_gain(hits, chance, problems, intervals),
    }


def p_of_gain(
    hits: np.ndarray,
    chance: np.ndarray,
    problems: np.ndarray,
    intervals: IntervalSettings,
) -> float | None:
    """Two-sided p-value of as many hits as by chance, over problems.

    The larger one of two: of the jackknife, and of hits that fall by chance with
    problems in place of events. The second stands alone where the first has no error.

    Args:
        hits: [event], 0 or 1.
        chance: [event], probability of a hit.
        problems: [event].
        intervals: there is no p-value of fewer than `least_problems` problems.
    """
    gain, columns = hits - chance, np.zeros(len(hits), dtype=int)
    sums, counts = cluster_sums(gain, problems, columns, 1)
    if len(sums) < intervals.least_problems:
        return None
    left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    jackknife = Jackknife.of(sums.sum(0) / counts.sum(0), left_out, counts)
    variance = (chance * (1 - chance)).mean() / float(jackknife.effective[0])
    if not variance:
        return None
    return larger_p(jackknife, two_sided(float(gain.mean() / np.sqrt(variance))))


def means_table(loop: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`LOOP_MEANS`: every number and flag, and effects minus those of random ones.

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
        (mean,) = cluster_means(
            own[name].to_numpy()[:, None],
            own["problem"].to_numpy(),
            intervals,
            shares=name in shares,
        )
        rows.append(
            {
                "column": name,
                "mean": number(mean.value),
                "low": mean.low,
                "high": mean.high,
                "n": mean.n,
                "problems": mean.clusters,
            }
        )
    return LOOP_MEANS.frame(rows)
