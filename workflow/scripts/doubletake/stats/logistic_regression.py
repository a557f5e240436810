"""Logistic regression with an L2 penalty, solved to the minimum of its loss.

The loss is a weighted mean of the cases' log-losses, with weights of sum 1:

    sum of weight * log-loss  +  |w|^2 / (2 C cases)

With `balanced_weights`, the mean over the two classes of their mean log-loss, it is
that of scikit-learn's `LogisticRegression(class_weight="balanced")`, divided by C times
the number of cases. With `equal_weights` it is that of scikit-learn's default. Balanced
weights find rare classes; equal weights give probabilities at the classes' own shares.

Features of a residual stream are strongly correlated, even when they are standardised.
With a weak penalty the loss is therefore steep along some directions and nearly flat
along others. A solver that stops at a small gradient then stops far from the minimum:
weights may be off by the gradient divided by the penalty, and scores by that error
times the length of a row. Measured with lbfgs at a gradient of 1e-5 and C = 1: scores
are 0.01 log-odds off in all features and 0.002 in the span of the rows (SmolLM2-135M,
24 cases of 576 features), and 0.09 on unseen cases (the pocket model, 128 features).

Here rows are given in coordinates that are nearly uncorrelated (principal axes). Each
coordinate is scaled so that the loss has about the same curvature along all of them.
A small gradient is then a small error, and L-BFGS (Liu & Nocedal 1989) needs a fraction
of the steps.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

GRADIENT_TOLERANCE = 1e-8  # largest component of the gradient, in scaled coordinates
CONVERGED_GRADIENT = 1e-7  # looser limit, if rounding stops the optimiser
MAX_STEPS = 2000
HISTORY_STEPS = 20  # steps from which L-BFGS learns the curvature


@dataclass(frozen=True)
class Fit:
    """A fitted regression: log-odds = rows weight + bias."""

    weight: np.ndarray
    """[coordinate]."""
    bias: float
    converged: bool

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds of the first class: [case, coordinate] to [case]."""
        return rows @ self.weight + self.bias


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of every case: 1/2 for each class, shared equally by its cases."""
    return np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())


def equal_weights(labels: np.ndarray) -> np.ndarray:
    """Weight of every case: all the same."""
    return np.full(len(labels), 1 / len(labels))


def fit_logistic(
    rows: np.ndarray,
    labels: np.ndarray,
    strength: float,
    weights: np.ndarray,
    start: Fit | None = None,
) -> Fit:
    """Fit one regression.

    The curvature along a coordinate is at most (mean square of the rows) / 4 + penalty;
    the stretch is its square root.

    Args:
        rows: [case, coordinate], float64, best in principal axes; other coordinates
            give the same result in more steps.
        labels: [case], bool, both classes.
        strength: inverse strength C of the penalty.
        weights: [case], with sum 1.
        start: where to begin, e.g. the fit of another C.
    """
    penalty = 1 / (strength * len(rows))
    stretch = np.sqrt(np.square(rows).mean(0) / 4 + penalty)
    design = np.column_stack([rows / stretch, np.full(len(rows), 2.0)])
    penalties = np.append(penalty / stretch**2, 0.0)  # the bias is free
    signs = np.where(labels, 1.0, -1.0)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (design @ point)
        value = weights @ np.logaddexp(0, -margins) + penalties @ point**2 / 2
        gradient = penalties * point - (weights * signs * expit(-margins)) @ design
        return float(value), gradient

    initial = np.zeros(design.shape[1])
    if start is not None:
        initial = np.append(start.weight * stretch, start.bias / 2)
    result = minimize(
        loss,
        initial,
        jac=True,
        method="L-BFGS-B",
        options={
            "gtol": GRADIENT_TOLERANCE,
            "ftol": 0.0,  # a slow fall of the loss is no reason to stop
            "maxcor": HISTORY_STEPS,
            "maxiter": MAX_STEPS,
            "maxfun": 2 * MAX_STEPS,
        },
    )
    return Fit(
        weight=result.x[:-1] / stretch,
        bias=float(2 * result.x[-1]),
        converged=bool(np.abs(result.jac).max() <= CONVERGED_GRADIENT),
    )
