"""Linear probes: logistic regressions in the units of the residual stream.

Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".
"""

from dataclasses import dataclass

import numpy as np

from doubletake.stats.logistic_regression import Fit


@dataclass(frozen=True)
class Probe:
    """A fitted probe in the units of its features: log-odds = features w + bias."""

    weight: np.ndarray
    """[feature]."""
    bias: float

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Log-odds of the first class: [case, feature] to [case]."""
        return features @ self.weight + self.bias


@dataclass(frozen=True)
class PrincipalAxes:
    """Coordinates in which a probe is fitted: scaled features, rotated.

    With fewer rows than features the penalised solution lies in the span of the rows
    (representer theorem). The rows' coordinates in an orthonormal basis of that span
    therefore give the same probe with as many weights as there are rows, not features.
    Principal axes are the basis in which `doubletake.stats.logistic_regression` needs
    few steps. The penalty is the same in every orthonormal basis.
    """

    mean: np.ndarray
    scale: np.ndarray
    basis: np.ndarray
    """[feature, coordinate], orthonormal columns."""

    @classmethod
    def of(cls, features: np.ndarray) -> "PrincipalAxes":
        """The axes of some cases, [case, feature]."""
        mean, scale = centre_and_scale(features)
        rows = (features - mean) / scale
        if len(rows) >= rows.shape[1]:
            return cls(mean, scale, _uncorrelated_axes(rows))
        span = np.linalg.qr(rows.T).Q
        return cls(mean, scale, span @ _uncorrelated_axes(rows @ span))

    def coordinates(self, features: np.ndarray) -> np.ndarray:
        """[case, feature] to [case, coordinate]."""
        return ((features - self.mean) / self.scale) @ self.basis

    def probe_of(self, fit: Fit) -> Probe:
        """The fitted probe in the units of the features."""
        return in_feature_units(
            self.basis @ fit.weight, fit.bias, self.mean, self.scale
        )


def centre_and_scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by feature; infinite for a feature that never varies.

    A feature that never varies is thus 0 in the fit and has no weight. Its deviation in
    floating point is not always 0: divided by it, a case outside the fit could reach
    1e16.
    """
    varies = np.ptp(features, axis=0) > 0
    return features.mean(0), np.where(varies, features.std(0), np.inf)


def _uncorrelated_axes(rows: np.ndarray) -> np.ndarray:
    """Orthonormal axes along which the rows are uncorrelated: [coordinate, axis]."""
    return np.linalg.eigh(rows.T @ rows).eigenvectors


def in_feature_units(
    weight: np.ndarray, bias: float, mean: np.ndarray, scale: np.ndarray
) -> Probe:
    """A probe of scaled features, in the units of the features."""
    raw = weight / scale
    return Probe(raw, float(bias - mean @ raw))
