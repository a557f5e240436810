"""Means over backtracks with their intervals, as columns of the summaries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_ends,
    cluster_means,
    cluster_sums,
    number,
)

EVENT = ["trace", "problem", "event"]


def mean_columns(
    name: str,
    values: Sequence[float],
    problems: Sequence[str],
    intervals: IntervalSettings,
    *,
    shares: bool = False,
) -> dict[str, Any]:
    """A mean and the ends of its interval; all null without a value."""
    if not len(values):
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    column = np.asarray(values, dtype=float)[:, None]
    (mean,) = cluster_means(column, np.asarray(problems), intervals, shares=shares)
    return mean.columns(name)


def ratio_columns(
    name: str,
    values: Sequence[float],
    wholes: Sequence[float],
    problems: Sequence[str],
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """The ratio of two means over the same backtracks, with its interval."""
    empty = dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    if not len(values) or not np.sum(wholes):
        return empty
    clusters, column = np.asarray(problems), np.zeros(len(values), dtype=int)
    sums, bases = (
        cluster_sums(np.asarray(part, dtype=float), clusters, column, 1)[0]
        for part in (values, wholes)
    )
    low, high = cluster_ends(sums, bases, intervals)
    ratio = sums.sum() / bases.sum()
    return {
        name: float(ratio),
        f"{name}_low": number(low[0]),
        f"{name}_high": number(high[0]),
    }


def case_columns(problems: Sequence[str]) -> dict[str, int]:
    """Numbers of backtracks and problems."""
    return {"events": len(problems), "problems": len(set(problems))}


def by_event(table: pl.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of each backtrack with its problem, in the order of the table."""
    parts = table.partition_by(EVENT, maintain_order=True, as_dict=True)
    return [(str(key[1]), part.to_dicts()) for key, part in parts.items()]
