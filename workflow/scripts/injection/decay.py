"""Divergence by distance: bins, shares of the first token, half-lives."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_ends,
    cluster_means,
    cluster_sums,
    jackknife_interval,
    number,
)
from doubletake.stats.jackknife import without_each_cluster
from injection.tables import RANDOM

SINGLE = 8
"""The largest distance that has a bin of its own."""
BAND = (0.025, 0.975)
SETTING = ("place", "direction", "boundary", "depth", "strength", "mode", "factor")
"""Columns of `INJECTION` that make up a setting."""

Ends = tuple[float, float | None, float | None]
"""A value and the ends of its interval."""


def bins(distance: int) -> list[tuple[int, int]]:
    """First and last distance of each bin: 0, 1, ... 8, then 9 to 16, 17 to 32, ..."""
    found = [(d, d) for d in range(min(SINGLE, distance) + 1)]
    while found[-1][1] < distance:
        last = found[-1][1]
        found.append((last + 1, min(2 * last, distance)))
    return found


def values_of(rows: pl.DataFrame) -> np.ndarray:
    """The divergences of rows of `INJECTION`: [row, distance]."""
    return np.array(rows["kl"].to_list(), dtype=float)


def decay_rows(rows: pl.DataFrame, intervals: IntervalSettings) -> list[dict[str, Any]]:
    """Rows of `INJECTION_DECAY` of one setting.

    The random vectors of a context are averaged before the mean over contexts is taken.
    Their band comes from the mean of each vector over the contexts.

    Args:
        rows: of `INJECTION`, of one setting.
        intervals: of the means.
    """
    values, problems = values_of(rows), rows["problem"].to_numpy()
    binned = bins(values.shape[1] - 1)
    columns = np.stack([values[:, a : b + 1].mean(1) for a, b in binned], 1)
    means = cluster_means(columns, problems, intervals)
    contexts = rows.select("trace", "place", "token").n_unique()
    low, high = _band(columns, rows["draw"])
    named = rows.select(SETTING).row(0, named=True)
    is_random = named["direction"] == RANDOM
    return [
        named
        | {"first": first, "last": last}
        | mean.columns("kl")
        | {"n": contexts, "problems": mean.clusters}
        | {"draws": rows["draw"].n_unique() if is_random else 0}
        | {"band_low": number(low[k]), "band_high": number(high[k])}
        for k, ((first, last), mean) in enumerate(zip(binned, means, strict=True))
    ]


def _band(columns: np.ndarray, draws: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the means of the random vectors; NaN for a direction."""
    if draws.null_count():
        nothing = np.full(columns.shape[1], np.nan)
        return nothing, nothing
    means = means_by_draw(columns, draws)
    low, high = np.quantile(means, BAND, axis=0)
    return low, high


def means_by_draw(columns: np.ndarray, draws: pl.Series) -> np.ndarray:
    """Mean of every column over the contexts, for each vector: [vector, column]."""
    numbers = draws.to_numpy()
    return np.stack([columns[numbers == k].mean(0) for k in np.unique(numbers)])


def summary_row(rows: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """The row of `INJECTION_SUMMARY` of one setting."""
    values, problems = values_of(rows), rows["problem"].to_numpy()
    sums = np.stack([values[:, 0], values[:, 1:].sum(1)], 1)
    first, rest = cluster_means(sums, problems, intervals)
    return (
        rows.select(SETTING).row(0, named=True)
        | first.columns("first")
        | rest.columns("rest")
        | columns_of("share", share_of_first(values, problems, intervals))
        | columns_of("half_life", half_life(values, problems, intervals))
        | {"n": rows.select("trace", "place", "token").n_unique()}
        | {"problems": first.clusters}
    )


def columns_of(name: str, ends: Ends) -> dict[str, float | None]:
    """A value and its ends as columns of a table; None for NaN."""
    value, low, high = ends
    return {name: number(value), f"{name}_low": low, f"{name}_high": high}


def share_of_first(
    values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
) -> Ends:
    """Share of all divergence that falls on distance 0, a ratio of sums.

    Args:
        values: [case, distance].
        problems: [case].
        intervals: the interval of the ratio, by the jackknife over problems.
    """
    nothing = np.zeros(len(problems), dtype=np.int64)
    parts, _ = cluster_sums(values[:, 0], problems, nothing, 1)
    totals, _ = cluster_sums(values.sum(1), problems, nothing, 1)
    if not totals.sum() > 0:
        return float("nan"), None, None
    low, high = cluster_ends(parts, totals, intervals)
    share = float(parts.sum() / totals.sum())
    return share, _within(number(low[0])), _within(number(high[0]))


def _within(end: float | None) -> float | None:
    """The end of an interval of a share: at least 0 and at most 1."""
    return None if end is None else min(max(end, 0.0), 1.0)


def half_life(
    values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
) -> Ends:
    """The distance at which the mean divergence is half of that at distance 0.

    There is no interval where the mean without one of the problems does not fall so
    far.

    Args:
        values: [case, distance].
        problems: [case].
        intervals: the interval, by the jackknife over problems.
    """

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.array([halved(curve) for curve in weights @ values])

    lives = without_each_cluster(statistic, problems)
    if np.isnan(lives).any() or len(lives) < 3:
        return float(lives[0]), None, None
    value, low, high = jackknife_interval(lives, problems, intervals, is_share=False)
    return value, None if low is None else max(low, 0.0), high


def halved(curve: Sequence[float] | np.ndarray) -> float:
    """Where a curve has first fallen to half of its start; NaN if it does not.

    Between two distances its logarithm is a straight line.
    """
    if not curve[0] > 0:
        return float("nan")
    half = curve[0] / 2
    below = np.flatnonzero(np.asarray(curve) <= half)
    if not len(below):
        return float("nan")
    k = int(below[0])
    if curve[k] <= 0:
        return float(k)
    fall = np.log(curve[k - 1]) - np.log(curve[k])
    return float(k - 1 + (np.log(curve[k - 1]) - np.log(half)) / fall)
