"""Cross-validation of probes: each probe is judged on problems that it has not seen.

It has not seen the partners of its test cases either. The members of a pair are alike
and have opposite labels, so a probe that knows the partner would err: on cases without
an effect its AUROC would lie below 0.5.

Controls and selectivity follow Hewitt & Liang 2019, "Designing and interpreting probes
with control tasks".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doubletake.stats.draws import array_generator
from doubletake.stats.folds import problem_folds
from doubletake.stats.linear_probes import PrincipalAxes
from doubletake.stats.logistic_regression import Fit, balanced_weights, fit_logistic
from doubletake.stats.swapped_labels import swapped_labels


@dataclass(frozen=True)
class ProbePlan:
    """How probes are fitted and judged."""

    strengths: tuple[float, ...]
    """Inverse strengths C of the L2 penalty to choose from, ascending."""
    folds: int
    """Number of parts of the problems; each part is left out once."""
    inner_folds: int
    """Number of parts of a training fold's problems, for the choice of C."""
    shuffles: int
    """Number of fits on shuffled labels."""
    seed: int
    """Seed of the folds and of the shuffles."""


@dataclass(frozen=True)
class OutOfFoldScores:
    """Score of every case by a probe that was fitted without its problem."""

    folds: np.ndarray
    """[case], the fold that was left out."""
    strengths: np.ndarray
    """[fold], the chosen C."""
    labels: np.ndarray
    """[1 + shuffle, case], bool; row 0 holds the true labels."""
    scores: np.ndarray
    """[1 + shuffle, case], log-odds."""
    fits: int
    stopped: int
    """Number of fits that ended before they converged."""


class CountedFits:
    """Fits logistic regressions and counts them."""

    def __init__(self) -> None:
        """Start with no fit."""
        self.fits = self.stopped = 0

    def path(
        self, rows: np.ndarray, labels: np.ndarray, strengths: Sequence[float]
    ) -> list[Fit]:
        """One fit for every C, each started from the previous one."""
        # ASSUME: both classes have equal weight, whatever their numbers of cases.
        weights = balanced_weights(labels)
        fits: list[Fit] = []
        for strength in strengths:
            start = fits[-1] if fits else None
            fits.append(fit_logistic(rows, labels, strength, weights, start))
            self.fits += 1
            self.stopped += int(not fits[-1].converged)
        return fits

    def choose_strength(
        self,
        rows: np.ndarray,
        labels: np.ndarray,
        problems: np.ndarray,
        pairs: np.ndarray,
        plan: ProbePlan,
    ) -> float:
        """The C of least log-loss on inner folds of problems; of equals the smallest.

        Both classes weigh the same, in the fits and in the loss. A fold with which
        every pair has a member in common is not used.
        """
        fewest = min(len(np.unique(problems[labels == flag])) for flag in (True, False))
        count = min(plan.inner_folds, fewest)
        inner = problem_folds(problems, labels, count, plan.seed + 1)
        loss = np.zeros(len(plan.strengths))
        for fold in range(count):
            out = inner == fold
            seen = other_pairs(pairs, out)
            if not seen.any():
                continue
            fits = self.path(rows[seen], labels[seen], plan.strengths)
            for index, fit in enumerate(fits):
                loss[index] += balanced_loss(fit.scores(rows[out]), labels[out])
        return plan.strengths[int(loss.argmin())]


def other_pairs(pairs: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Cases of pairs without a member that is left out: [case], bool.

    Args:
        pairs: [case], number of its pair.
        out: [case], whether it is left out.
    """
    return ~np.isin(pairs, pairs[out])


def balanced_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes of the mean log-loss (nats) of log-odds `scores`."""
    losses = np.logaddexp(0, np.where(labels, -scores, scores))
    return float(np.mean([losses[labels == flag].mean() for flag in (True, False)]))


def shuffled_labels(
    labels: np.ndarray, pairs: np.ndarray, folds: np.ndarray, plan: ProbePlan
) -> np.ndarray:
    """Labels swapped within pairs: [1 + shuffle, case], row 0 the true labels.

    The members of a pair may lie in two folds. A shuffle is drawn again until every
    fold has both classes, as with the true labels.
    """
    rows = [labels]
    for number in range(1, plan.shuffles + 1):
        draw = array_generator(plan.seed, number)
        (row,) = swapped_labels(labels, pairs, 1, draw)
        while not _in_every_fold(row, folds):
            (row,) = swapped_labels(labels, pairs, 1, draw)
        rows.append(row)
    return np.stack(rows)


def _in_every_fold(labels: np.ndarray, folds: np.ndarray) -> bool:
    """Whether both classes are in every fold."""
    return all(len(np.unique(labels[folds == fold])) == 2 for fold in np.unique(folds))


def cross_validate(
    features: np.ndarray,
    labels: np.ndarray,
    problems: np.ndarray,
    pairs: np.ndarray,
    plan: ProbePlan,
) -> OutOfFoldScores:
    """Score every case by a probe fitted on pairs without a member in its fold.

    Scaling, rotation and the choice of C see these pairs only. Where there is no such
    pair, the probe of the fold knows nothing: its scores are 0.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        problems: [case], id of its problem.
        pairs: [case], number of its pair.
        plan: how.
    """
    folds = problem_folds(problems, labels, plan.folds, plan.seed)
    label_rows = shuffled_labels(labels, pairs, folds, plan)
    scores = np.zeros(label_rows.shape)
    strengths = np.full(plan.folds, plan.strengths[0])
    counted = CountedFits()
    for fold in range(plan.folds):
        out = folds == fold
        seen = other_pairs(pairs, out)
        if not seen.any():
            continue
        axes = PrincipalAxes.of(features[seen])
        train, test = axes.coordinates(features[seen]), axes.coordinates(features[out])
        strength = counted.choose_strength(
            train, labels[seen], problems[seen], pairs[seen], plan
        )
        strengths[fold] = strength
        # ASSUME: the C that the true labels chose suits shuffled labels too.
        for row, fold_labels in enumerate(label_rows):
            (fit,) = counted.path(train, fold_labels[seen], [strength])
            scores[row, out] = fit.scores(test)
    return OutOfFoldScores(
        folds, strengths, label_rows, scores, counted.fits, counted.stopped
    )


def median_strength(strengths: np.ndarray) -> float:
    """The median of the folds' choices (of two middle ones the smaller)."""
    return float(np.sort(strengths)[(len(strengths) - 1) // 2])
