"""Fits the probe of one group of problems.

A logistic regression with an L2 penalty on standardised states. LYNX fits an MLP with
256 and 64 hidden units and balanced class weights, Zhang et al. an MLP or a linear
probe with class weights. The departures, and why:

- linear: a group has hundreds of points, and a state thousands of features;
- without class weights: the scores are compared with 0.85 as probabilities, and
  balanced weights move them to where half of the points are right;
- the state at the last token before the point, and not that of the cue itself: the
  state from which the thought is closed.
"""

from dataclasses import dataclass

import numpy as np

from doubletake.stats.draws import array_generator
from doubletake.stats.folds import problem_folds
from doubletake.stats.linear_probes import PrincipalAxes, Probe
from doubletake.stats.logistic_regression import Fit, equal_weights, fit_logistic


@dataclass(frozen=True)
class ProbePlan:
    """How probes are fitted."""

    strengths: list[float]
    """Inverse strengths C of the penalty to choose from."""
    folds: int
    """Parts of the training problems for the choice of C. Each class needs so many
    problems."""
    shuffles: int
    """Number of fits on shuffled labels."""
    seed: int
    """Seed of the folds and of the shuffles."""


@dataclass(frozen=True)
class GroupProbe:
    """What was fitted on the points of one group."""

    probe: Probe
    shuffled: list[Probe]
    """Fitted on shuffled labels."""
    strength: float
    """The chosen C."""
    unfinished: int
    """Number of these fits that ended before they converged."""


def why_no_probe(labels: np.ndarray, problems: np.ndarray, folds: int) -> str | None:
    """Why no probe can be fitted on these points; None if one can.

    Args:
        labels: [point], bool, whether the trial answer is right.
        problems: [point].
        folds: fewest problems with a right point, and with a wrong one.
    """
    right, wrong = (len(np.unique(problems[labels == flag])) for flag in (True, False))
    if min(right, wrong) >= folds:
        return None
    return (
        f"{right} training problems have a right point and {wrong} a wrong one, and "
        f"{folds} of each are needed"
    )


def fit_group(
    features: np.ndarray, labels: np.ndarray, problems: np.ndarray, plan: ProbePlan
) -> GroupProbe:
    """Fit the probe of a group, and its controls.

    Args:
        features: [point, feature], float64.
        labels: [point], bool.
        problems: [point].
        plan: how.
    """
    axes = PrincipalAxes.of(features)
    rows = axes.coordinates(features)
    strength = chosen_strength(rows, labels, problems, plan)
    shuffled = [
        array_generator(plan.seed, number).permutation(labels)
        for number in range(plan.shuffles)
    ]
    # ASSUME: the C that the true labels chose suits shuffled labels too.
    fits = [_fit(rows, known, strength) for known in (labels, *shuffled)]
    probes = [axes.probe_of(fit) for fit in fits]
    unfinished = sum(not fit.converged for fit in fits)
    return GroupProbe(probes[0], probes[1:], strength, unfinished)


def chosen_strength(
    rows: np.ndarray, labels: np.ndarray, problems: np.ndarray, plan: ProbePlan
) -> float:
    """The C of least log-loss on left-out problems; of equals the smallest.

    Args:
        rows: [point, coordinate].
        labels: [point], bool.
        problems: [point].
        plan: with strengths, folds and seed.
    """
    strengths = sorted(plan.strengths)
    folds = problem_folds(problems, labels, plan.folds, plan.seed)
    loss = np.zeros(len(strengths))
    for fold in range(plan.folds):
        out = folds == fold
        signs = np.where(labels[out], -1.0, 1.0)
        fit = None
        for number, strength in enumerate(strengths):
            fit = _fit(rows[~out], labels[~out], strength, fit)
            loss[number] += np.logaddexp(0, signs * fit.scores(rows[out])).sum()
    return strengths[int(loss.argmin())]


def _fit(
    rows: np.ndarray, labels: np.ndarray, strength: float, start: Fit | None = None
) -> Fit:
    return fit_logistic(rows, labels, strength, equal_weights(labels), start)
