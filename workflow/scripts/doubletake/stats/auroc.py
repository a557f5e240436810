"""AUROC: the chance that of two cases of both classes the first has a higher score."""

import numpy as np


def auroc(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Share of pairs of the two classes that are in order; ties count half.

    Mann & Whitney 1947. Pairs of cases are compared within a fold only: each fold has
    its own probe, whose scores have their own level. Both numbers, pairs in order and
    all pairs, are sums over the folds.

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
