"""Confidence intervals: of proportions, and of means over clustered cases."""

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
    """Seed of the resamples."""


@dataclass(frozen=True)
class Mean:
    """A mean with its interval; NaN if there is no value."""

    value: float
    low: float
    high: float
    n: int
    """Number of values."""
    clusters: int
    """Number of clusters with a value."""


def cluster_means(
    values: np.ndarray, clusters: np.ndarray, resampling: Resampling
) -> list[Mean]:
    """Mean of every column, with its interval over clusters. NaN values are left out.

    Args:
        values: `[case, column]`.
        clusters: `[case]`, the problem of each case.
        resampling: settings of the bootstrap. All columns use the same resamples.
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
    interval it stays in [0, 1], and its width is not 0 for 0 or n hits.

    Args:
        hits: number of successes. It may be a fraction, if `n` counts clusters and each
            cluster has a share of successes.
        n: number of trials.
        confidence: coverage, between 0 and 1.

    Raises:
        ValueError: there are no trials, or more hits than trials.
    """
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"not a proportion: {hits} hits in {n} trials")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = hits / n
    centre = p + z**2 / (2 * n)
    half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    scale = 1 + z**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def cluster_sums(
    values: np.ndarray, clusters: np.ndarray, columns: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of values by cluster and column. NaN values are left out.

    Args:
        values: `[case]`.
        clusters: `[case]`, cluster names of any sortable type.
        columns: `[case]`, the column of each case, counted from 0.
        width: number of columns.

    Returns:
        Sums and counts, each `[cluster, column]`, clusters sorted.
    """
    names, indices = np.unique(clusters, return_inverse=True)
    valid = ~np.isnan(values)
    sums = np.zeros((len(names), width))
    counts = np.zeros((len(names), width))
    np.add.at(sums, (indices[valid], columns[valid]), values[valid])
    np.add.at(counts, (indices[valid], columns[valid]), 1)
    return sums, counts


def cluster_bootstrap(
    sums: np.ndarray, counts: np.ndarray, resampling: Resampling
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of means; whole clusters are drawn with replacement.

    Cases of one problem depend on each other; problems do not (Efron & Tibshirani 1993,
    ch. 13). A mean is the sum over the count of the drawn clusters, so only sums and
    counts are resampled. All columns use the same resamples.

    Args:
        sums: `[cluster, column]`, sum of the values of each cluster.
        counts: `[cluster, column]`, number of values.
        resampling: number of resamples, their seed, and the coverage.

    Returns:
        Low and high end, each `[column]`; NaN for a column without a value.
    """
    # ASSUME: clusters (problems) are independent draws from one population.
    clusters = len(sums)
    if not clusters:
        return np.full(sums.shape[1], np.nan), np.full(sums.shape[1], np.nan)
    drawn = resamples(clusters, resampling.bootstrap, resampling.seed)
    totals = drawn @ counts
    means = np.where(totals > 0, drawn @ sums / np.maximum(totals, 1), np.nan)
    low, high = np.full(sums.shape[1], np.nan), np.full(sums.shape[1], np.nan)
    valid = ~np.isnan(means).all(axis=0)
    if not valid.any():
        return low, high
    tail = 100 * (1 - resampling.confidence) / 2
    # ASSUME: a resample without a value in a column is left out of its percentiles.
    low[valid], high[valid] = np.nanpercentile(
        means[:, valid], [tail, 100 - tail], axis=0
    )
    return low, high
