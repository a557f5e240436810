"""Tests of sets of units: rank among random sets, sign over problems.

Both tests ask another question. The rank asks whether the set differs from other sets
of like units, on these positions. The sign asks whether its effect is above or below 0
on other problems.
"""

import numpy as np

from doubletake.stats.random_ranks import rank_p

SIGN_FLIPS = 4000
# ASSUME: equal sets differ by less than this in float32; smaller effects do not count.
ROUNDING = 1e-5


def as_extreme(value: float, null: np.ndarray) -> int:
    """How many values of the null lie at least as far from the middle as `value`.

    A value that is nearer by less than `ROUNDING` counts too. The middle is the median
    of the null and `value` together. So under exchangeability all of them are treated
    alike, and the test is exact also where the null is not centred on 0.

    Args:
        value: of the tested case.
        null: [draw], values of random cases.
    """
    both = np.append(null, value)
    distances = np.abs(both - np.median(both))
    return int((distances[:-1] >= distances[-1] - ROUNDING).sum())


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
