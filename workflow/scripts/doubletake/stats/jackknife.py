"""The jackknife over clusters: how a statistic changes without each cluster in turn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BLOCK = 256  # rows of weights at a time, which bounds the memory
NOISE = 1e-12  # relative to the statistic: changes below it come from rounding


@dataclass(frozen=True)
class Jackknife:
    """Error and skewness of statistics, estimated over clusters.

    With n clusters, theta the statistic of all cases and theta_k that without cluster
    k, `d_k = (n - 1) (theta - theta_k)` takes the place of the deviation of cluster k
    from the mean (Efron & Tibshirani 1993, ch. 11). The jackknife holds for means,
    ratios of sums, AUROCs and their differences. It does not hold for a median.
    """

    # ASSUME: clusters (problems) are independent draws from one population.
    value: np.ndarray
    """[column], the statistics of all cases."""
    error: np.ndarray
    """[column], their standard errors; NaN where they cannot be estimated."""
    skewness: np.ndarray
    """[column], skewness of the deviations; 0 where all are equal."""
    clusters: np.ndarray
    """[column], number of clusters with a case."""
    effective: np.ndarray
    """[column], number of clusters of equal size that would say as much: the square of
    the number of cases over the sum of the squares of the clusters' (Kish 1965)."""

    @classmethod
    def of(
        cls, value: np.ndarray, left_out: np.ndarray, cases: np.ndarray
    ) -> "Jackknife":
        """Estimate from the statistics without each cluster.

        Args:
            value: [column], the statistics of all cases.
            left_out: [cluster, column], the statistics without the cluster.
            cases: [cluster, column], number of cases; clusters without a case do not
                count.
        """
        present = cases > 0
        n = present.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            changes = np.where(present, (n - 1) * (value - left_out), 0.0)
            deviations = np.where(present, changes - changes.sum(0) / n, 0.0)
            squares, cubes = (deviations**2).sum(0), (deviations**3).sum(0)
            error = np.sqrt(squares / (n * (n - 1)))
            skewness = cubes / n / (squares / n) ** 1.5
            effective = cases.sum(0) ** 2 / (cases**2).sum(0)
        size = np.abs(np.where(present, left_out, 0.0)).max(0, initial=0.0)
        is_flat = error <= NOISE * size
        return cls(
            value,
            np.where(is_flat, 0.0, error),
            np.where(is_flat, 0.0, skewness),
            n,
            effective,
        )

    def student(self, confidence: float) -> np.ndarray:
        """Two-sided quantile of Student's t, with `effective` - 1 degrees of freedom.

        Large clusters leave fewer degrees of freedom than clusters of equal size do.
        """
        from scipy.special import stdtrit  # here, because its import is slow

        with np.errstate(invalid="ignore"):
            freedom = np.maximum(self.effective - 1, 1)
        return stdtrit(freedom, (1 + confidence) / 2)

    def ends(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """Ends of an interval for a statistic without bounds: each [column].

        Each end is the further one of two intervals: the t interval, and that of Hall's
        transformation, which removes the skewness (Hall 1992, J. R. Stat. Soc. B
        54:221): `theta - error * 3/a ((1 + a (x - a/6))^(1/3) - 1)` with x = t and
        x = -t, and a the skewness over the square root of n.
        """
        t = self.student(confidence)
        below = np.maximum(t, self._without_skewness(t))
        above = np.maximum(t, -self._without_skewness(-t))
        return self.value - below * self.error, self.value + above * self.error

    def _without_skewness(self, quantile: np.ndarray) -> np.ndarray:
        """The inverse of Hall's cubic transformation of the t statistic."""
        with np.errstate(invalid="ignore", divide="ignore"):
            a = self.skewness / np.sqrt(self.clusters)
            inverse = 3 / a * (np.cbrt(1 + a * (quantile - a / 6)) - 1)
        return np.where(np.abs(a) < 1e-6, quantile, inverse)


def p_against_zero(jackknife: Jackknife) -> np.ndarray:
    """Two-sided p-values: the smallest level whose interval excludes 0.

    The interval is the further one of Student's and Hall's (`Jackknife.ends`), so both
    have to exclude 0. Hall's transformation of x = value / error is
    `x + a x^2 / 3 + a^2 x^3 / 27 + a / 6`, with a the skewness over the square root of
    the number of problems (Hall 1992, J. R. Stat. Soc. B 54:221); for a value below 0,
    x and a change their signs. NaN without an error.

    Returns:
        `[column]`.
    """
    from scipy.special import stdtr  # here, because its import is slow

    with np.errstate(invalid="ignore", divide="ignore"):
        x = jackknife.value / jackknife.error
        a = jackknife.skewness / np.sqrt(jackknife.clusters) * np.sign(x)
        x = np.abs(x)
        hall = x + a * x**2 / 3 + a**2 * x**3 / 27 + a / 6
        freedom = np.maximum(jackknife.effective - 1, 1)
        p = np.minimum(2 * stdtr(freedom, -np.minimum(x, hall)), 1)
    return np.where(jackknife.error > 0, p, np.nan)


def without_each_cluster(
    statistic: Callable[[np.ndarray], np.ndarray], clusters: np.ndarray
) -> np.ndarray:
    """A statistic of all cases, and without each cluster.

    Args:
        statistic: takes weights [draw, case] and gives a value per draw.
        clusters: [case], cluster names of any sortable type.

    Returns:
        [1 + cluster]: the value of all cases, then without each cluster, sorted.
    """
    names, index = np.unique(clusters, return_inverse=True)
    values = [statistic(np.ones((1, len(index))))]
    for start in range(0, len(names), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(names)))
        values.append(statistic((index != block[:, None]).astype(float)))
    return np.concatenate(values)
