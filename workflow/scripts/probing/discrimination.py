"""How well scores tell two classes apart, with intervals over problems.

Pairs of cases are compared within a fold only, because folds have probes of their own,
whose scores have levels of their own. Problems are drawn with replacement and the
probes are not fitted again: a fold's spread says little where there are few folds that
share most of their training problems (Bengio & Grandvalet 2004: the variance of
cross-validation has no unbiased estimate), problems are what a sample is made of.
"""

from dataclasses import dataclass

import numpy as np

from doubletake.stats.draws import resamples
from doubletake.stats.intervals import Resampling


@dataclass(frozen=True)
class Draws:
    """Weights of the cases: once as they are, then in every resample of the problems.

    All figures of one set of cases share them, so that differences are paired.
    """

    weights: np.ndarray
    """[1 + resample, case]; row 0 is all ones."""

    @classmethod
    def of(cls, problems: np.ndarray, resampling: Resampling) -> "Draws":
        """Draw whole problems with replacement."""
        names, place = np.unique(problems, return_inverse=True)
        drawn = resamples(len(names), resampling.bootstrap, resampling.seed)
        return cls(np.concatenate([np.ones((1, len(place))), drawn[:, place]]))


def auroc(
    scores: np.ndarray, labels: np.ndarray, folds: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Share of pairs of the two classes that are in order; ties count half.

    Mann & Whitney 1947. Over all folds: pairs in order over pairs, both within folds.

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
        found = _concordance(scores[inside], labels[inside], weights[:, inside])
        ordered, pairs = ordered + found[0], pairs + found[1]
    return np.divide(ordered, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _concordance(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the pairs in order, and of all pairs, by draw."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    sorted_weights = weights[:, order]
    first = np.add.reduceat(sorted_weights * labels[order], starts, axis=1)
    second = np.add.reduceat(sorted_weights * ~labels[order], starts, axis=1)
    below = second.cumsum(1) - second / 2
    return (first * below).sum(1), first.sum(1) * second.sum(1)


def accuracy(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of right signs, the mean of both classes: 0.5 is chance.

    Args:
        scores: [case], log-odds.
        labels: [case], bool.
        weights: [draw, case].

    Returns:
        [draw]; NaN where a draw lacks a class.
    """
    right = (scores > 0) == labels
    shares = []
    for part in (labels, ~labels):
        total = weights @ part
        hits = weights @ (part & right)
        empty = np.full(len(total), np.nan)
        shares.append(np.divide(hits, total, out=empty, where=total > 0))
    return (shares[0] + shares[1]) / 2


def interval(values: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """The figure and its percentile interval.

    Args:
        values: [1 + resample], the figure of all cases first.
        confidence: coverage.
    """
    tail = 100 * (1 - confidence) / 2
    low, high = np.nanpercentile(values[1:], [tail, 100 - tail])
    return float(values[0]), float(low), float(high)
