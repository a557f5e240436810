"""Accuracy of scores, and low ends that hold for many probes at once.

For an interval, each problem is left out in turn and the probes are not fitted again
(`doubletake.stats.intervals.jackknife_interval`). The spread over folds would say
little, because there are few folds and they share most of their training problems
(Bengio & Grandvalet 2004: the variance of cross-validation has no unbiased estimate).
Problems are what a sample is made of.
"""

import numpy as np

from doubletake.stats.draws import array_generator
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.jackknife import NOISE

MULTIPLIERS = 10_000  # draws behind a quantile of the largest t


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
    values: np.ndarray,
    problems: np.ndarray,
    settings: IntervalSettings,
    families: int,
    seed: int,
) -> np.ndarray:
    """Low ends that hold for all layer boundaries of all contrasts at once.

    The largest t of all boundaries sets the width (max statistic, Westfall & Young
    1993; Romano & Wolf 2005), so the best of many boundaries can be named. Its quantile
    comes from normal multipliers of the jackknife's deviations (Chernozhukov,
    Chetverikov & Kato 2013), divided as in Student's t. The error is split evenly among
    the contrasts (Bonferroni).

    Args:
        values: [boundary, 1 + problem], of `without_each_cluster`.
        problems: [case], the problem of each case.
        settings: coverage of a two-sided interval, of whose error the low ends have
            half; and fewest problems with a low end.
        families: number of contrasts.
        seed: of the multipliers.

    Returns:
        [boundary]; NaN where there is no low end.
    """
    cases = np.unique(problems, return_counts=True)[1]
    n = len(cases)
    if n < settings.least_problems:
        return np.full(len(values), np.nan)
    changes = (n - 1) * (values[:, :1] - values[:, 1:])
    deviations = changes - changes.mean(1, keepdims=True)
    errors = np.sqrt((deviations**2).sum(1) / (n * (n - 1)))
    errors = np.where(errors > NOISE, errors, np.nan)
    if np.isnan(errors).all():
        return errors
    rng = array_generator(seed, 0)
    freedom = max(cases.sum() ** 2 / (cases**2).sum() - 1, 1)
    multipliers = rng.normal(size=(MULTIPLIERS, n))
    multipliers *= np.sqrt(freedom / rng.chisquare(freedom, size=(MULTIPLIERS, 1)))
    largest = np.nanmax(
        multipliers @ deviations.T / np.sqrt(n * (n - 1)) / errors, axis=1
    )
    error = (1 - settings.confidence) / 2 / families
    return values[:, 0] - np.quantile(largest, 1 - error) * errors
