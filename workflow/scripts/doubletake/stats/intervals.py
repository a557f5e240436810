"""Intervals: of proportions, and of means over cases that come in clusters."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from doubletake.stats.draws import resamples


@dataclass(frozen=True)
class Resampling:
    """The `intervals` section of the config: a bootstrap over clusters."""

    bootstrap: int = 1000
    """Resamples behind an interval."""
    confidence: float = 0.95
    """Coverage of the intervals."""
    seed: int = 0
    """Of the draws."""


@dataclass(frozen=True)
class Mean:
    """A mean with its interval; NaN where there is no value."""

    value: float
    low: float
    high: float
    n: int
    """Values."""
    clusters: int
    """Clusters they come from."""


def cluster_means(
    values: np.ndarray, clusters: np.ndarray, resampling: Resampling
) -> list[Mean]:
    """Mean of every column with its interval over clusters; NaN counts for nothing.

    Args:
        values: `[case, column]`.
        clusters: `[case]`, the problem of each case.
        resampling: how the interval is drawn; all columns with the same draws.
    """
    cases, width = values.shape
    columns = np.tile(np.arange(width), cases)
    sums, counts = cluster_sums(
        values.ravel(), np.repeat(clusters, width), columns, width
    )
    low, high = cluster_bootstrap(sums, counts, resampling)
    n = counts.sum(0)
    with np.errstate(invalid="ignore"):
        means = sums.sum(0) / n
    return [
        Mean(float(means[k]), float(low[k]), float(high[k]), int(n[k]), int(filled))
        for k, filled in enumerate((counts > 0).sum(0))
    ]


def wilson_interval(
    hits: float, n: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927).

    With `p = hits / n` and z the two-sided normal quantile of `confidence`:
    `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`. Unlike the normal
    interval it stays in [0, 1] and has width at 0 and n hits.

    Args:
        hits: successes; a fraction where `n` counts clusters with a share of successes.
        n: trials.
        confidence: coverage, between 0 and 1.

    Raises:
        ValueError: no trials, or more hits than trials.
    """
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"no proportion: {hits} hits in {n} trials")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = hits / n
    centre = p + z**2 / (2 * n)
    half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    scale = 1 + z**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def cluster_sums(
    values: np.ndarray, clusters: np.ndarray, columns: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of values by cluster and column; NaN values count for nothing.

    Args:
        values: `[case]`.
        clusters: `[case]`, anything that can be sorted.
        columns: `[case]`, the column of each case, from 0 on.
        width: number of columns.

    Returns:
        Sums and counts, each `[cluster, column]`, clusters sorted.
    """
    names, place = np.unique(clusters, return_inverse=True)
    known = ~np.isnan(values)
    sums = np.zeros((len(names), width))
    counts = np.zeros((len(names), width))
    np.add.at(sums, (place[known], columns[known]), values[known])
    np.add.at(counts, (place[known], columns[known]), 1)
    return sums, counts


def cluster_bootstrap(
    sums: np.ndarray, counts: np.ndarray, resampling: Resampling
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of means when whole clusters are drawn with replacement.

    Cases of one problem are not independent, problems are (Efron & Tibshirani 1993,
    ch. 13). A mean is sum over count of the drawn clusters, so only their sums are
    resampled, all columns with the same draw.

    Args:
        sums: `[cluster, column]`, sum of the values of each cluster.
        counts: `[cluster, column]`, number of values.
        resampling: number of the draws, their seed, and the coverage.

    Returns:
        Low and high end, each `[column]`; NaN for a column without a value.
    """
    clusters = len(sums)
    if not clusters:
        return np.full(sums.shape[1], np.nan), np.full(sums.shape[1], np.nan)
    drawn = resamples(clusters, resampling.bootstrap, resampling.seed)
    totals = drawn @ counts
    means = np.where(totals > 0, drawn @ sums / np.maximum(totals, 1), np.nan)
    low, high = np.full(sums.shape[1], np.nan), np.full(sums.shape[1], np.nan)
    known = ~np.isnan(means).all(axis=0)
    if not known.any():
        return low, high
    tail = 100 * (1 - resampling.confidence) / 2
    low[known], high[known] = np.nanpercentile(
        means[:, known], [tail, 100 - tail], axis=0
    )
    return low, high
