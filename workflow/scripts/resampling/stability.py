"""Stability of turns: how often draws do as the study's thought did, and as each other.

The share of boundaries at which any draw differs grows with the number of draws. The
chance that two draws differ, and the chance that a draw differs from the study's
thought, do not depend on it.
"""

from math import comb
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means
from resampling.names import ALL, SUMMARY_KINDS
from resampling.tables import RESAMPLING_STABILITY, RESAMPLING_SUMMARY

SHARES = ("unstable", "any", "mixed")
"""Columns of 0 and 1."""
MEANS = ("rate", *SHARES, "differs", "disagree", "mass", "planted")


def with_stability(boundaries: pl.DataFrame, stable_share: float) -> pl.DataFrame:
    """`RESAMPLING` with the columns of `MEANS`, of boundaries with draws.

    Args:
        boundaries: `RESAMPLING`.
        stable_share: a boundary is stable if at least this share of the draws do as
            the study's thought did (0.8 in `stability-steering`, arXiv 2604.02113).
    """
    k, n = pl.col("turns"), pl.col("draws")
    same = pl.when("turned").then(k).otherwise(n - k)
    return boundaries.filter(n > 0).with_columns(
        same=same,
        unstable=same < stable_share * n,
        any=same < n,
        mixed=(k > 0) & (k < n),
        differs=1 - same / n,
        disagree=pl.when(n > 1).then(2 * k * (n - k) / (n * (n - 1))),
    )


def summary_table(
    boundaries: pl.DataFrame, stable_share: float, intervals: IntervalSettings
) -> pl.DataFrame:
    """`RESAMPLING_SUMMARY`.

    Args:
        boundaries: `RESAMPLING`.
        stable_share: see `with_stability`.
        intervals: how intervals are made.
    """
    known = with_stability(boundaries, stable_share)
    rows = []
    for kind in SUMMARY_KINDS:
        own = known if kind == ALL else known.filter(kind=kind)
        if own.is_empty():
            continue
        problems = own["problem"].to_numpy()
        row: dict[str, Any] = {
            "kind": kind,
            "boundaries": own.height,
            "problems": own["problem"].n_unique(),
            "draws": own["draws"].sum(),
            "unfinished": own["unfinished"].sum(),
        }
        for name in MEANS:
            values = own[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            (mean,) = cluster_means(
                values[:, None], problems, intervals, shares=name in SHARES
            )
            row |= mean.columns(name)
        rows.append(row)
    return RESAMPLING_SUMMARY.frame(rows)


def stability_table(boundaries: pl.DataFrame) -> pl.DataFrame:
    """`RESAMPLING_STABILITY`: expected shares at every smaller number of draws.

    A share of all draws' subsets of n is an unbiased estimate of what n draws would
    show.

    Args:
        boundaries: `RESAMPLING`.
    """
    known = with_stability(boundaries, 1.0)
    rows = []
    for kind in SUMMARY_KINDS:
        own = known if kind == ALL else known.filter(kind=kind)
        counts = own.select("turns", "same", "draws").to_numpy()
        for n in range(1, int(counts[:, 2].min()) + 1 if len(counts) else 1):
            differs = [1 - _all_of(same, of, n) for _, same, of in counts]
            mixed = [
                1 - _all_of(turns, of, n) - _all_of(of - turns, of, n)
                for turns, _, of in counts
            ]
            rows.append(
                {
                    "kind": kind,
                    "n": n,
                    "any": float(np.mean(differs)),
                    "mixed": float(np.mean(mixed)),
                }
            )
    return RESAMPLING_STABILITY.frame(rows)


def _all_of(hits: int, draws: int, n: int) -> float:
    """Chance that n of the draws are all hits."""
    return comb(int(hits), n) / comb(int(draws), n)
