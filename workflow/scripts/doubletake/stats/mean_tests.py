"""P-values of means over problems: against 0, and of hits against their chance."""

import numpy as np

from doubletake.stats.intervals import IntervalSettings, cluster_sums, number
from doubletake.stats.jackknife import Jackknife, p_against_zero
from doubletake.stats.paired_test import two_sided


def p_of_mean(
    values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
) -> float | None:
    """Two-sided p-value of a mean of 0, from the jackknife over problems.

    Args:
        values: [case].
        problems: [case].
        intervals: there is no p-value of fewer than `least_problems` problems, and
            none where all problems have the same value.
    """
    jackknife = _jackknife(values, problems)
    if len(np.unique(problems)) < intervals.least_problems:
        return None
    return number(p_against_zero(jackknife)[0])


def p_of_gain(
    gains: np.ndarray,
    variances: np.ndarray,
    problems: np.ndarray,
    intervals: IntervalSettings,
) -> float | None:
    """Two-sided p-value of as many hits as by chance, over problems.

    The larger one of two: of the jackknife, and of hits that fall by chance with
    problems in place of cases. The second stands alone where the first has no error.

    Args:
        gains: [case], hits minus their chance.
        variances: [case], of the hits, if they fall by chance.
        problems: [case].
        intervals: there is no p-value of fewer than `least_problems` problems.
    """
    if len(np.unique(problems)) < intervals.least_problems:
        return None
    jackknife = _jackknife(gains, problems)
    variance = variances.mean() / float(jackknife.effective[0])
    if not variance:
        return None
    return larger_p(jackknife, two_sided(float(gains.mean() / np.sqrt(variance))))


def larger_p(jackknife: Jackknife, other: float) -> float:
    """The larger p-value of the jackknife and of another test.

    Args:
        jackknife: of the statistic minus its value without a relation.
        other: p-value of the other test. It stands alone without an error.
    """
    (p,) = p_against_zero(jackknife)
    return other if np.isnan(p) else max(float(p), other)


def _jackknife(values: np.ndarray, problems: np.ndarray) -> Jackknife:
    """Of the mean over all cases."""
    columns = np.zeros(len(values), dtype=int)
    sums, counts = cluster_sums(values, problems, columns, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
        return Jackknife.of(sums.sum(0) / counts.sum(0), left_out, counts)
