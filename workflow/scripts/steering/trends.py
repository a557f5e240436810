"""Does turning rise with the strength? Slopes of problems, and of random vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Run:
    """Strengths in a row over which the mean never goes back."""

    first: int
    """Index of its first strength."""
    last: int
    rises: bool

    @property
    def steps(self) -> int:
        """Number of steps between its strengths: strengths without the first."""
        return self.last - self.first


def whole_window(whole: Sequence[bool], none: int) -> range:
    """Indices around no steering between which all text is whole.

    Args:
        whole: [strength], in rising order.
        none: index of no steering.
    """
    first = last = none
    while first > 0 and whole[first - 1]:
        first -= 1
    while last + 1 < len(whole) and whole[last + 1]:
        last += 1
    return range(first, last + 1)


def longest_run(means: np.ndarray) -> Run | None:
    """The longest row of strengths over which the means never go back.

    Equal neighbours do not end a row, but its ends must differ. Of rows of equal length
    the one with the larger difference is taken. None where all means are equal.

    Args:
        means: [strength], in the order of the strengths.
    """
    runs = []
    for sign in (1, -1):
        signed = sign * means
        for first in range(len(means)):
            last = first
            while last + 1 < len(means) and signed[last + 1] >= signed[last]:
                last += 1
            if signed[last] > signed[first]:
                runs.append(Run(first, last, sign > 0))
    return max(
        runs,
        key=lambda run: (run.steps, abs(means[run.last] - means[run.first])),
        default=None,
    )


def slopes(strengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Least-squares slopes of values on strengths: [...].

    Args:
        strengths: [strength].
        values: [..., strength].
    """
    centred = strengths - strengths.mean()
    return values @ centred / (centred**2).sum()


def sign_test(values: np.ndarray, least: int) -> tuple[int, int, float | None]:
    """Exact test of "as many values above 0 as below"; two-sided.

    Values of 0 are left out. They say nothing of the side, and the test is conditional
    on their number.

    Args:
        values: [problem].
        least: fewest problems with a p-value, zeros included.

    Returns:
        Values above 0, values below 0, and the p-value.
    """
    from scipy.special import bdtr  # here, because its import is slow

    above, below = int((values > NOISE).sum()), int((values < -NOISE).sum())
    if len(values) < least:
        return above, below, None
    fewer = min(above, below)
    return above, below, min(1.0, 2 * float(bdtr(fewer, above + below, 0.5)))


NOISE = 1e-12
"""Slopes nearer to 0 come from rounding."""


def rank_p(slope: float, others: np.ndarray) -> float:
    """P-value of a slope among those of random vectors, two-sided.

    (1 + number of vectors whose slope lies at least as far from the mean) / (1 +
    number). The mean is that of all slopes, the tested one included: random vectors may
    change turning, too, and all of them alike. If the direction is as good as a random
    vector, all slopes are exchangeable, so the p-value is valid.
    """
    every = np.append(others, slope)
    distances = np.abs(every - every.mean())
    further = (distances[:-1] >= distances[-1] - NOISE).sum()
    return float((1 + further) / (1 + len(others)))
