"""AUROC and accuracy of scores, with intervals over problems.

Pairs of cases are compared within a fold only: each fold has its own probe, whose
scores have their own level.

For an interval, each problem is left out in turn and the probes are not fitted again
(the jackknife, `doubletake.stats.jackknife`). The spread over folds would say little,
because there are few folds and they share most of their training problems (Bengio &
Grandvalet 2004: the variance of cross-validation has no unbiased estimate). Problems
are what a sample is made of.
"""

import numpy as np

from doubletake.stats.intervals import Resampling, mean_ends, number, share_ends
from doubletake.stats.jackknife import Jackknife


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


def interval(
    values: np.ndarray, problems: np.ndarray, settings: Resampling, *, is_share: bool
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
