"""Relations of two numbers of the same events, with the jackknife over problems."""

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
from doubletake.stats.jackknife import Jackknife, p_against_zero, without_each_cluster

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
    x: np.ndarray, y: np.ndarray, problems: np.ndarray, settings: IntervalSettings
) -> Relation:
    """Spearman's correlation, tested by the jackknife on Fisher's scale.

    Ranks are made again without each problem, because a rank depends on all cases.

    Args:
        x: [case], without NaN.
        y: [case], without NaN.
        problems: [case].
        settings: coverage, and fewest problems with an interval.
    """
    names, index = np.unique(problems, return_inverse=True)
    n = len(x)
    if n < LEAST_CASES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Relation(None, None, None, None, n, len(names), len(names))
    kept = np.vstack([np.ones((1, n)), np.arange(len(names))[:, None] != index])
    rho = _correlations(_ranks(x, index), _ranks(y, index), kept.astype(float))
    z = np.arctanh(np.clip(rho, -NEAREST, NEAREST))
    cases = np.bincount(index)[:, None]
    jackknife = Jackknife.of(z[:1], z[1:, None], cases)
    (low,), (high,) = mean_ends(jackknife, settings)
    # One constant half leaves a problem without a correlation: then there is no test.
    known = len(names) >= settings.least_problems and not np.isnan(z).any()
    (p,) = p_against_zero(jackknife)
    return Relation(
        float(rho[0]),
        number(np.tanh(low)) if known else None,
        number(np.tanh(high)) if known else None,
        number(p) if known else None,
        n,
        len(names),
        len(names),
    )


def _ranks(x: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Ranks of all cases, then without each cluster: [1 + cluster, case].

    A case that is left out has a rank too, which does not count.

    Args:
        x: [case].
        index: [case], number of the cluster, without gaps.
    """
    order = np.argsort(index, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(index[order]) > 0])
    sorted_x = x[order]
    below = (sorted_x < x[:, None]) + 0.5 * (sorted_x == x[:, None])
    by_cluster = np.add.reduceat(below, starts, axis=1)
    whole = by_cluster.sum(1)
    return np.vstack([whole, whole - by_cluster.T])


def _correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's correlation in every row, of the cases with weight 1: [row]."""
    total = weights.sum(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = (x - (x * weights).sum(1, keepdims=True) / total) * weights
        dy = (y - (y * weights).sum(1, keepdims=True) / total) * weights
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
    (p,) = p_against_zero(centred)
    known = fewer >= settings.least_problems and not np.isnan(values).any()
    return Relation(
        float(values[0]),
        number(low[0]) if known else None,
        number(high[0]) if known else None,
        number(p) if known else None,
        n,
        count,
        fewer,
    )


def _auroc_of(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    return lambda weights: auroc(scores, labels, folds, weights)
