"""Relations of two numbers of the same events, tested over problems.

Two tests have to agree, so the larger p-value counts. The jackknife over problems holds
where the spread of one number depends on the other. The test of a random order (score
test) holds with few problems, and where the classes are apart completely, so that the
jackknife has no error. It counts problems of equal size (Kish 1965) and not events.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from doubletake.stats.auroc import auroc
from doubletake.stats.intervals import (
    IntervalSettings,
    mean_ends,
    number,
    share_ends,
)
from doubletake.stats.jackknife import Jackknife, without_each_cluster
from doubletake.stats.mean_tests import larger_p
from doubletake.stats.paired_test import two_sided

NEAREST = 1 - 1e-9
"""Correlations are kept below 1, because their Fisher transform is infinite there."""
LEAST_CASES = 3


@dataclass(frozen=True)
class Relation:
    """A statistic with its interval and its p-value; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    problems: int
    fewer_problems: int
    """`auroc`: problems of the class that has fewer; else `problems`."""


def spearman(
    x: np.ndarray,
    y: np.ndarray,
    problems: np.ndarray,
    settings: IntervalSettings,
    kinds: np.ndarray | None = None,
) -> Relation:
    """Spearman's correlation, tested by the jackknife on Fisher's scale.

    Ranks are made again without each problem, because a rank depends on all cases.

    Args:
        x: [case], without NaN.
        y: [case], without NaN.
        problems: [case].
        settings: coverage, and fewest problems with an interval.
        kinds: [case]: cases are ranked within their kind, and ranks are counted from
            the middle of their kind; None: all together.
    """
    names, index = np.unique(problems, return_inverse=True)
    n = len(x)
    nothing = Relation(None, None, None, None, n, len(names), len(names))
    if n < LEAST_CASES:
        return nothing
    kind = np.unique(np.zeros(n) if kinds is None else kinds, return_inverse=True)[1]
    kept = np.vstack([np.ones((1, n)), np.arange(len(names))[:, None] != index])
    first, second = (_ranks(values, index, kind) for values in (x, y))
    rho = _correlations(first, second, kept.astype(float), kind)
    if np.isnan(rho[0]):  # one of them is the same everywhere
        return nothing
    z = np.arctanh(np.clip(rho, -NEAREST, NEAREST))
    cases = np.bincount(index)[:, None]
    jackknife = Jackknife.of(z[:1], z[1:, None], cases)
    (low,), (high,) = mean_ends(jackknife, settings)
    # One constant half leaves a problem without a correlation: then there is no test.
    known = len(names) >= settings.least_problems and not np.isnan(z).any()
    p = larger_p(
        jackknife, correlation_p(float(rho[0]), jackknife, int(kind.max()) + 1)
    )
    return Relation(
        float(rho[0]),
        number(np.tanh(low)) if known else None,
        number(np.tanh(high)) if known else None,
        p if known else None,
        n,
        len(names),
        len(names),
    )


def _ranks(x: np.ndarray, index: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Ranks within the kind: [1 + cluster, case], of all, then without each cluster.

    A case that is left out has a rank too, which does not count.

    Args:
        x: [case].
        index: [case], number of the cluster, without gaps.
        kind: [case].
    """
    order = np.argsort(index, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(index[order]) > 0])
    sorted_x = x[order]
    below = (sorted_x < x[:, None]) + 0.5 * (sorted_x == x[:, None])
    below = np.where(kind[order] == kind[:, None], below, 0.0)
    by_cluster = np.add.reduceat(below, starts, axis=1)
    whole = by_cluster.sum(1)
    return np.vstack([whole, whole - by_cluster.T])


def _correlations(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, kind: np.ndarray
) -> np.ndarray:
    """Correlation of the distances from the mean of the kind, in every row: [row].

    NaN without variation; cases of weight 0 do not count.
    """
    member = (kind[:, None] == np.arange(kind.max() + 1)).astype(float)
    total = np.maximum(weights @ member, 1)
    dx, dy = (
        (ranks - (ranks * weights) @ member / total @ member.T) * weights
        for ranks in (x, y)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return (dx * dy).sum(1) / np.sqrt((dx**2).sum(1) * (dy**2).sum(1))


def classes_apart(
    scores: np.ndarray,
    labels: np.ndarray,
    problems: np.ndarray,
    settings: IntervalSettings,
) -> Relation:
    """AUROC of scores for two classes, tested against one half.

    Args:
        scores: [case], without NaN.
        labels: [case], bool.
        problems: [case].
        settings: coverage, and fewest problems of each class with an interval.
    """
    groups = [np.unique(problems[labels == flag]) for flag in (True, False)]
    n, count = len(scores), len(np.unique(problems))
    fewer = min(map(len, groups))
    if not fewer:
        return Relation(None, None, None, None, n, count, 0)
    one_fold = np.zeros(n, dtype=int)
    values = without_each_cluster(_auroc_of(scores, labels, one_fold), problems)
    cases = np.unique(problems, return_counts=True)[1][:, None]
    low, high = share_ends(
        Jackknife.of(values[:1], values[1:, None], cases), n, settings
    )
    centred = Jackknife.of(values[:1] - 0.5, values[1:, None] - 0.5, cases)
    apart = order_p(
        float(values[0]),
        *(_effective(problems[labels == flag]) for flag in (True, False)),
    )
    p = larger_p(centred, apart)
    known = fewer >= settings.least_problems and not np.isnan(values).any()
    return Relation(
        float(values[0]),
        number(low[0]) if known else None,
        number(high[0]) if known else None,
        p if known else None,
        n,
        count,
        fewer,
    )


def correlation_p(rho: float, jackknife: Jackknife, kinds: int = 1) -> float:
    """Student's test of a rank correlation, with problems in place of events.

    Args:
        rho: the correlation.
        jackknife: of it.
        kinds: number of kinds within which cases are ranked.
    """
    from scipy.special import stdtr  # here, because its import is slow

    freedom = max(float(jackknife.effective[0]) - 1 - kinds, 1.0)
    t = rho * np.sqrt(freedom / max(1 - rho**2, 1 - NEAREST))
    return float(2 * stdtr(freedom, -abs(t)))


def order_p(value: float, first: float, second: float) -> float:
    """Mann and Whitney's test of an AUROC, with problems in place of events.

    Args:
        value: the AUROC.
        first: problems of the first class.
        second: problems of the second class.
    """
    error = np.sqrt((first + second + 1) / (12 * first * second))
    return two_sided(float((value - 0.5) / error))


def _effective(problems: np.ndarray) -> float:
    """Problems of equal size that say as much (Kish 1965)."""
    cases = np.unique(problems, return_counts=True)[1]
    return float(cases.sum() ** 2 / (cases**2).sum())


def _auroc_of(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    return lambda weights: auroc(scores, labels, folds, weights)
