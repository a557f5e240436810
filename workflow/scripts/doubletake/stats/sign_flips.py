"""Sign-flip test of a mean over problems, and Holm's correction for several tests."""

import numpy as np

SIGN_FLIPS = 4000


def sign_p(values: np.ndarray, problems: np.ndarray, rng: np.random.Generator) -> float:
    """Two-sided p-value that the mean is 0, by flipping the signs of whole problems.

    The mean over positions is 0 if and only if the expected sum of a problem is 0. If
    the sums of problems are independent and symmetric around 0, every flip of their
    signs is as likely as what was seen (Fisher 1935, "The Design of Experiments", 21).
    With five problems or fewer, p stays above 0.05.

    Args:
        values: [position].
        problems: [position].
        rng: source of the flips.
    """
    names, index = np.unique(problems, return_inverse=True)
    sums = np.bincount(index, weights=values)
    flipped = rng.integers(2, size=(SIGN_FLIPS, len(names)), dtype=np.int8)
    totals = sums.sum() - 2 * (flipped @ sums)
    as_large = np.abs(totals) >= abs(sums.sum()) * (1 - 1e-9)
    return rank_p(int(as_large.sum()), SIGN_FLIPS)


def rank_p(above: int, draws: int) -> float:
    """Monte Carlo p-value (r + 1) / (n + 1) of a rank (Davison & Hinkley 1997, 4.2).

    Args:
        above: r, draws at least as extreme as the tested case.
        draws: n.
    """
    return (above + 1) / (draws + 1)


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for the number of tests (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1, and none may be smaller than the
    one before it. A corrected value of at most a level in any of the tests is a false
    claim with a probability of at most this level.

    Args:
        p_values: [test].
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    steps = np.maximum.accumulate(p_values[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
