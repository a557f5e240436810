"""Rank of a set of units among random sets of like units.

The rank asks whether the set differs from other sets, on these positions. The sign over
problems (`doubletake.stats.sign_flips`) asks another question: whether its effect is
above or below 0 on other problems.
"""

import numpy as np

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


def draws_needed(per_test: int, tests: int) -> int:
    """Random draws behind each test, if Holm's correction counts this many tests.

    The smallest p-value of n draws is 1 / (n + 1). With n = `per_test` * `tests` it
    stays just below 1 / `per_test` after the correction, however many tests there are.
    """
    return per_test * tests
