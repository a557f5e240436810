"""Means over positions with their interval over problems, and p-values against 0."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_ends,
    cluster_sums,
    number,
)
from doubletake.stats.jackknife import Jackknife, p_against_zero
from look_back.tables import QUANTITIES
from matches.reading import by_kind

Row = dict[str, float | int | None]


@dataclass(frozen=True)
class Means:
    """The means of several columns; NaN where there is none."""

    rows: list[Row]
    """By column: mean, low, high, positions, problems."""
    p: np.ndarray
    """[column], two-sided p-values of a mean of 0; NaN without an interval."""

    @classmethod
    def of(
        cls, values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
    ) -> "Means":
        """Means of all columns.

        Args:
            values: [position, column]; NaN where a position has no value.
            problems: [position].
            intervals: coverage, and fewest problems with an interval.
        """
        cases, width = values.shape
        columns = np.tile(np.arange(width), cases)
        by_case = np.repeat(problems, width)
        sums, counts = cluster_sums(values.ravel(), by_case, columns, width)
        low, high = cluster_ends(sums, counts, intervals)
        n, total = counts.sum(0), sums.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total / n
            left_out = (total - sums) / (n - counts)
        p = p_against_zero(Jackknife.of(means, left_out, counts))
        rows: list[Row] = [
            {
                "mean": number(means[k]),
                "low": number(low[k]),
                "high": number(high[k]),
                "positions": int(n[k]),
                "problems": int(filled),
            }
            for k, filled in enumerate((counts > 0).sum(0))
        ]
        return cls(rows, np.where(np.isnan(low), np.nan, p))


def means_by_kind(
    pairs: np.ndarray,
    positions: pl.DataFrame,
    matches: pl.DataFrame,
    intervals: IntervalSettings,
) -> Iterator[tuple[str, int, str, Row, float]]:
    """Means of important and of matched words, and of their difference.

    Args:
        pairs: [position, group, 2], of important words and of their matches; NaN where
            a position has none.
        positions: columns trace, event, kind and problem, a row per position.
        matches: `MATCHES`.
        intervals: coverage, and fewest problems with an interval.

    Yields:
        Kind, group, quantity, the mean as columns of a table, and its p-value.
    """
    count, width = len(pairs), pairs.shape[1] * len(QUANTITIES)
    paired = np.where(np.isnan(pairs).any(-1, keepdims=True), np.nan, pairs)
    difference = paired[..., :1] - paired[..., 1:]
    values = np.concatenate([paired, difference], -1).reshape(count, width)
    for kind, of_kind, problems in by_kind(values, positions, matches):
        means = Means.of(of_kind, problems, intervals)
        for column, (row, p) in enumerate(zip(means.rows, means.p, strict=True)):
            group, quantity = divmod(column, len(QUANTITIES))
            yield kind, group, QUANTITIES[quantity], row, float(p)
