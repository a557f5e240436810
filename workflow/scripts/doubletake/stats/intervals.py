"""Confidence intervals over clusters: of means, of shares, and of other statistics.

All intervals come from the jackknife over clusters (problems). Coverage of intervals of
95% in simulations, in percent, with 3 / 5 / 10 / 30 clusters (`test_coverage.py`):

- means of normal values 96 / 96 / 96 / 95, of values with skewness 1 96 / 95 / 96 / 96,
  with skewness 2 (exponential) 93 / 93 / 94 / 95;
- means over cases of clusters of very unequal size 98 / 97 / 96 / 95;
- differences of paired outcomes (0 or 1) 100 / 100 / 98 / 96;
- shares, one case per cluster 100 / 94 to 99 / 98 to 99 / 96 to 98, several dependent
  cases per cluster 100 / 97 to 99 / 96 to 99 / 94 to 96;
- AUROCs, with 5 / 10 / 30 clusters 98 to 99 / 97 to 98 / 95 to 96.

The default, no interval of fewer than 10 problems, keeps all of these above 93.

Known failures: where the value grows with the size of the cluster, 94 / 92 / 94 with 5
/ 10 / 30 clusters. Where few clusters hold most of the mean (skewness 3 and more, or
one rare value), 78 to 93 with 10 clusters and 92 to 95 with 20.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from doubletake.stats.jackknife import Jackknife

Ends = tuple[np.ndarray, np.ndarray]
"""Low and high end, each [column]; NaN where there is no interval."""


@dataclass(frozen=True)
class IntervalSettings:
    """The `intervals` section of the config."""

    confidence: float = 0.95
    """Coverage of the intervals."""
    least_problems: int = 10
    """Fewest clusters (problems) with an interval."""


@dataclass(frozen=True)
class Mean:
    """A mean with its interval; NaN if there is no value."""

    value: float
    low: float | None
    """None without an interval, see `mean_ends` and `share_ends`."""
    high: float | None
    n: int
    """Number of values."""
    clusters: int
    """Number of clusters with a value."""

    def columns(self, name: str) -> dict[str, float | None]:
        """The mean and its ends as columns of a table: NAME, NAME_low, NAME_high."""
        value = number(self.value)
        return {name: value, f"{name}_low": self.low, f"{name}_high": self.high}


def cluster_means(
    values: np.ndarray,
    clusters: np.ndarray,
    settings: IntervalSettings,
    *,
    shares: bool = False,
) -> list[Mean]:
    """Mean of every column, with its interval over clusters. NaN values are left out.

    Args:
        values: `[case, column]`.
        clusters: `[case]`, the problem of each case.
        settings: coverage, and fewest clusters with an interval.
        shares: whether the values are 0 and 1.
    """
    cases, width = values.shape
    columns = np.tile(np.arange(width), cases)
    sums, counts = cluster_sums(
        values.ravel(), np.repeat(clusters, width), columns, width
    )
    low, high = cluster_ends(sums, counts, settings, shares=shares)
    n = counts.sum(0)
    with np.errstate(invalid="ignore"):
        means = sums.sum(0) / n
    return [
        Mean(float(means[k]), number(low[k]), number(high[k]), int(n[k]), int(filled))
        for k, filled in enumerate((counts > 0).sum(0))
    ]


def number(value: float) -> float | None:
    """A number for a table: None for NaN."""
    return None if np.isnan(value) else float(value)


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


def cluster_ends(
    sums: np.ndarray,
    counts: np.ndarray,
    settings: IntervalSettings,
    *,
    shares: bool = False,
) -> Ends:
    """Intervals of means: of each column, the sum of the sums over that of the counts.

    An interval does not cross 0 if all clusters lie on one side of 0.

    Args:
        sums: `[cluster, column]`, sum of the values of each cluster.
        counts: `[cluster, column]`, number of values.
        settings: coverage, and fewest clusters with an interval.
        shares: whether the means are shares, from 0 to 1.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sums.sum(0) / counts.sum(0)
        left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    jackknife = Jackknife.of(value, left_out, counts)
    if shares:
        return share_ends(jackknife, counts.sum(0), settings)
    low, high = mean_ends(jackknife, settings)
    absent = counts == 0
    low = np.where(((sums > 0) | absent).all(0), np.maximum(low, 0), low)
    return low, np.where(((sums < 0) | absent).all(0), np.minimum(high, 0), high)


def jackknife_interval(
    values: np.ndarray,
    problems: np.ndarray,
    settings: IntervalSettings,
    *,
    is_share: bool,
) -> tuple[float, float | None, float | None]:
    """A metric and the ends of its interval; None where there is no interval.

    Args:
        values: [1 + problem], of `without_each_cluster`.
        problems: [case], the problem of each case.
        settings: coverage, and fewest problems with an interval.
        is_share: whether the metric lies between 0 and 1; else it is a difference.
    """
    # ASSUME: problems are independent, and the fitted probes are held fixed.
    cases = np.unique(problems, return_counts=True)[1][:, None]
    jackknife = Jackknife.of(values[:1], values[1:, None], cases)
    if is_share:
        low, high = share_ends(jackknife, len(problems), settings)
    else:
        low, high = mean_ends(jackknife, settings)
    return float(values[0]), number(low[0]), number(high[0])


def mean_ends(jackknife: Jackknife, settings: IntervalSettings) -> Ends:
    """Intervals of means, ratios and differences (`Jackknife.ends`).

    There is none below the least number of clusters. There is none either where all
    clusters have the same value: they do not say how much clusters differ.
    """
    enough = jackknife.clusters >= settings.least_problems
    given = enough & (jackknife.error > 0)
    low, high = jackknife.ends(settings.confidence)
    return np.where(given, low, np.nan), np.where(given, high, np.nan)


def share_ends(
    jackknife: Jackknife, cases: np.ndarray | float, settings: IntervalSettings
) -> Ends:
    """Intervals of shares, AUROCs and other statistics from 0 to 1.

    Wilson's interval for the number of independent cases that would give the error of
    the jackknife, `n = p (1 - p) / error^2 (z / t)^2`, at most the number of cases
    (Korn & Graubard 1998, Surv. Methodol. 24:193, with Wilson's interval in place of
    Clopper's and Pearson's). Where all clusters have the share 0 or 1, a cluster counts
    as one case. There is none below the least number of clusters.

    Args:
        jackknife: of the shares.
        cases: `[column]` or one number, the number of cases.
        settings: coverage, and fewest clusters with an interval.
    """
    z = NormalDist().inv_cdf((1 + settings.confidence) / 2)
    scale = (z / jackknife.student(settings.confidence)) ** 2
    p = jackknife.value
    with np.errstate(invalid="ignore", divide="ignore"):
        trials = np.minimum(p * (1 - p) / jackknife.error**2 * scale, cases)
    # ASSUME: thoughts on one problem are as one case, where problems do not differ.
    trials = np.where(jackknife.error > 0, trials, jackknife.effective)
    ends = np.full((2, len(p)), np.nan)
    given = (jackknife.clusters >= settings.least_problems) & ~np.isnan(trials)
    for column in np.flatnonzero(given):
        n = trials[column]
        ends[:, column] = wilson_interval(p[column] * n, n, settings.confidence)
    return ends[0], ends[1]


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
    return (
        max(0.0, (centre - half) / scale) if hits else 0.0,  # exact, without rounding
        min(1.0, (centre + half) / scale) if hits < n else 1.0,
    )
