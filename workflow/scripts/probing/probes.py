"""Probes of all cases of a contrast, by two solvers."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from doubletake.stats.linear_probes import (
    PrincipalAxes,
    Probe,
    centre_and_scale,
    in_feature_units,
)
from doubletake.stats.logistic_regression import balanced_weights, fit_logistic

NEWTON_TOLERANCE = 1e-12  # gradient, and expected fall of the loss in the next step
NEWTON_STEPS = 200


def fit_probe(features: np.ndarray, labels: np.ndarray, strength: float) -> Probe:
    """A probe of all cases; both classes have equal weight.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        strength: inverse strength C of the penalty.
    """
    axes = PrincipalAxes.of(features)
    rows = axes.coordinates(features)
    return axes.probe_of(fit_logistic(rows, labels, strength, balanced_weights(labels)))


def fit_unrotated_probe(
    features: np.ndarray, labels: np.ndarray, strength: float
) -> Probe:
    """The same probe by another solver: scaled features, Newton's method.

    At every step scikit-learn solves for all weights at once, so that correlations of
    features do not slow it down. The cost grows with the square of the number of
    features.

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        strength: inverse strength C of the penalty.
    """
    mean, scale = centre_and_scale(features)
    if np.isinf(scale).all():
        return Probe(np.zeros(len(mean)), 0.0)  # Newton's method would not start
    model = LogisticRegression(
        C=strength,
        solver="newton-cholesky",
        class_weight="balanced",
        tol=NEWTON_TOLERANCE,
        max_iter=NEWTON_STEPS,
    ).fit((features - mean) / scale, labels)
    return in_feature_units(model.coef_[0], float(model.intercept_[0]), mean, scale)
