"""Directions that the probe's fit gives on shuffled labels: the null of the cosines.

A direction that means nothing is not a random vector. The fit draws it towards the
directions in which the residual stream varies, and there MLPs write more. (In
SmolLM2-135M, the largest cosine of 1,536 value vectors with a probe of shuffled labels
was above 0.21 in 5% of the fits, and with a random vector above 0.165.) So the labels
are shuffled and the same states, scales and penalty are used. The probe's cases are
matched pairs, so each pair's labels are swapped or kept at random
(`doubletake.stats.swapped_labels`).

The fits are the first steps of Newton's method from weight 0, which for shuffled labels
is close to the minimum: there the log-odds stay small, and the logistic loss is nearly
quadratic. All shuffles share one matrix.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from activations.reading import ActivationCache
from doubletake.stats.swapped_labels import swapped_labels

VERIFIED_FITS = 8  # complete fits on shuffled labels, for each layer


def newton_directions(
    resid: np.ndarray, labels: np.ndarray, strength: float
) -> np.ndarray:
    """Unit directions of linear probes after one step of Newton's method.

    The loss is that of the probes (`doubletake.stats.logistic_regression`, balanced):
    the mean over both classes of their mean log-loss, plus |w|² / (2 C cases), on
    standardised features. At weight 0 its gradient is `-sum(weights * signs * rows) /
    2`. Its curvature is `rows.T @ rows / (4 cases) + 1 / (C cases)`, if all cases weigh
    alike.

    Args:
        resid: [case, d_model], float64, the residual stream.
        labels: [label set, case], bool; every set has both classes.
        strength: inverse strength C of the penalty.

    Returns:
        [label set, d_model], from the second class to the first, in units of the
        residual stream.
    """
    rows, scale = standardised(resid)
    positives = labels.sum(1, keepdims=True)
    negatives = labels.shape[1] - positives
    pulls = np.where(labels, 0.5 / positives, -0.5 / negatives)
    # Solved in the space of the cases, so that a wide stream costs no more.
    inner = rows @ rows.T / 4 + np.eye(len(rows)) / strength
    return _units(np.linalg.solve(inner, pulls.T).T @ rows / scale)


def fitted_directions(
    resid: np.ndarray, labels: np.ndarray, strength: float
) -> np.ndarray:
    """The same directions from complete fits by scikit-learn, in the rows' span.

    Args and result are those of `newton_directions`.
    """
    rows, scale = standardised(resid)
    basis = np.linalg.qr(rows.T).Q
    model = LogisticRegression(
        C=strength, solver="newton-cholesky", class_weight="balanced"
    )
    fits = [model.fit(rows @ basis, some).coef_[0] for some in labels]
    return _units(np.stack(fits) @ basis.T / scale)


def standardised(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features minus mean over deviation, and the deviations: infinite if constant."""
    varies = np.ptp(features, axis=0) > 0
    scale = np.where(varies, features.std(0), np.inf)
    return (features - features.mean(0)) / scale, scale


def _units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-300)


@dataclass(frozen=True)
class NullDirections:
    """Directions of shuffled labels, and their error."""

    vectors: np.ndarray
    """[direction, d_model], unit norm."""
    error: float
    """Largest 1 - cosine of a direction with that of a complete fit."""
    verified: int
    """Number of directions that were compared."""


@dataclass(frozen=True)
class FittedCases:
    """What the probe at a boundary was fitted to."""

    resid: np.ndarray
    """[case, d_model], float64, the residual stream."""
    labels: np.ndarray
    """[case], bool."""
    pairs: np.ndarray
    """[case], number of its pair."""
    strength: float
    """Inverse strength C of the penalty."""

    @classmethod
    def read(
        cls,
        cache: ActivationCache,
        cases: pl.DataFrame,
        probing: pl.DataFrame,
        boundary: int,
    ) -> "FittedCases":
        """Read the states of a probe's cases.

        Args:
            cache: activation cache of the study.
            cases: members of the pairs of the contrast.
            probing: the table `probing`, which holds the penalty.
            boundary: of the residual stream.
        """
        (contrast,) = cases["contrast"].unique()
        (strength,) = probing.filter(contrast=contrast, boundary=boundary)["strength"]
        resid = cache.read("resid", cases, layer=boundary).double().numpy()
        return cls(resid, cases["label"].to_numpy(), cases["pair"].to_numpy(), strength)

    def null_directions(self, count: int, rng: np.random.Generator) -> NullDirections:
        """Directions of shuffled labels, a few of them verified.

        Args:
            count: number of directions.
            rng: source of the shuffles.
        """
        shuffled = swapped_labels(self.labels, self.pairs, count, rng)
        fast = newton_directions(self.resid, shuffled, self.strength)
        fits = fitted_directions(self.resid, shuffled[:VERIFIED_FITS], self.strength)
        cosines = (fast[:VERIFIED_FITS] * fits).sum(1)
        return NullDirections(fast, float(1 - cosines.min()), len(fits))
