"""AUROC and accuracy of scores, with bootstrap intervals over problems.

Pairs of cases are compared within a fold only: each fold has its own probe, whose
scores have their own level.

For an interval, problems are drawn with replacement and the probes are not fitted
again. The spread over folds would say little, because there are few folds and they
share most of their training problems (Bengio & Grandvalet 2004: the variance of
cross-validation has no unbiased estimate). Problems are what a sample is made of.
"""

from dataclasses import dataclass

import numpy as np

from doubletake.stats.draws import resamples
from doubletake.stats.intervals import Resampling


@dataclass(frozen=True)
class BootstrapWeights:
    """Weights of the cases: first all 1, then one row per resample of the problems.

    All metrics of one set of cases share them, so that differences are paired.
    """

    weights: np.ndarray
    """[1 + resample, case]; row 0 is all ones."""

    @classmethod
    def of(cls, problems: np.ndarray, resampling: Resampling) -> "BootstrapWeights":
        """Draw whole problems with replacement."""
        names, index = np.unique(problems, return_inverse=True)
        # ASSUME: problems are independent, and the fitted probes are held fixed.
        drawn = resamples(len(names), resampling.bootstrap, resampling.seed)
        return cls(np.concatenate([np.ones((1, len(index))), drawn[:, index]]))


def auroc(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Share of pairs of the two classes that are in order; ties count half.

    Mann & Whitney 1947. Both numbers, pairs in order and all pairs, are sums over the
    folds.

    Args:
        scores: [case].
        labels: [case], bool.
        folds: [case].
        weights: [draw, case].

    Returns:
        [draw]; NaN where a draw has no pair.
    """
    ordered, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(folds):
        inside = folds == fold
        fold_ordered, fold_pairs = _concordance(
            scores[inside], labels[inside], weights[:, inside]
        )
        ordered, pairs = ordered + fold_ordered, pairs + fold_pairs
    return np.divide(ordered, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _concordance(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the pairs in order, and of all pairs, by draw."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    sorted_weights = weights[:, order]
    positive = np.add.reduceat(sorted_weights * labels[order], starts, axis=1)
    negative = np.add.reduceat(sorted_weights * ~labels[order], starts, axis=1)
    below = negative.cumsum(1) - negative / 2
    return (positive * below).sum(1), positive.sum(1) * negative.sum(1)


def accuracy(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of scores with the right sign, mean of both classes: chance is 0.5.

    Args:
        scores: [case], log-odds.
        labels: [case], bool.
        weights: [draw, case].

    Returns:
        [draw]; NaN where a draw lacks a class.
    """
    right = (scores > 0) == labels
    shares = []
    for in_class in (labels, ~labels):
        total = weights @ in_class
        hits = weights @ (in_class & right)
        empty = np.full(len(total), np.nan)
        shares.append(np.divide(hits, total, out=empty, where=total > 0))
    return (shares[0] + shares[1]) / 2


def simultaneous_low(
    values: np.ndarray, confidence: float, families: int
) -> np.ndarray:
    """Low ends that hold for all layer boundaries of all contrasts at once.

    The largest excess of a resample over its estimate, over all boundaries, sets the
    width (max statistic, Westfall & Young 1993; Romano & Wolf 2005). So the best of
    many boundaries can be named. The error is split evenly among the contrasts
    (Bonferroni).

    Args:
        values: [boundary, 1 + resample]; the first column is the metric of all cases.
        confidence: of a two-sided interval; the low ends have half of its error.
        families: number of contrasts.

    Returns:
        [boundary].
    """
    excess = np.nanmax(values[:, 1:] - values[:, :1], axis=0)
    error = (1 - confidence) / 2 / families
    return values[:, 0] - np.nanquantile(excess, 1 - error)


def interval(values: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """A metric and the ends of its percentile interval.

    Args:
        values: [1 + resample]; the first is the metric of all cases.
        confidence: coverage.
    """
    tail = 100 * (1 - confidence) / 2
    low, high = np.nanpercentile(values[1:], [tail, 100 - tail])
    return float(values[0]), float(low), float(high)
