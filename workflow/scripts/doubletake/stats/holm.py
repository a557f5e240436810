"""Several tests at once: p-values that are corrected for their number."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for the number of tests (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, and none may be smaller than the
    one before it. If corrected values of at most a level are claimed, any of the claims
    is false with a probability of at most this level.

    Args:
        p_values: [test].
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    steps = np.maximum.accumulate(p_values[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected


def holm_of(p: np.ndarray) -> np.ndarray:
    """Holm's correction for the p-values that are given; NaN stays NaN."""
    corrected, given = np.full(p.shape, np.nan), ~np.isnan(p)
    corrected[given] = holm(p[given])
    return corrected
