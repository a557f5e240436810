"""Guarantees: thresholds that lose at most a stated share, at a stated confidence.

Learn-then-Test (Angelopoulos et al. 2021, arXiv 2110.01052) with a fixed sequence. The
loss of a problem at a threshold is 1 if the answer is right at the end of the thought
and wrong at the exit, else 0. "The risk is above epsilon" is tested for one threshold
after the other, from the most careful to the boldest, each at level delta. The first
that cannot be rejected ends the sequence. With n independent problems and k losses, the
p-value P(Binomial(n, epsilon) <= k) is exact. So a threshold with a risk above epsilon
is certified with a probability of at most delta.

The sequence must be fixed before the calibration problems are seen, as `Rule.grid` is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RiskSettings:
    """What is to be guaranteed."""

    epsilon: float = 0.05
    """Largest share of problems that lose their right answer."""
    delta: float = 0.1
    """Largest probability that the calibration certifies a larger share."""


@dataclass(frozen=True)
class Certificate:
    """What the calibration problems certify."""

    threshold: float | None
    """The boldest certified threshold; None: nothing is, so think to the end."""
    losses: int
    """Losses at this threshold; without one, at the most careful threshold."""
    problems: int
    p_value: float
    """Of the same threshold."""
    settings: RiskSettings

    @property
    def sentence(self) -> str:
        """What it means, for the page."""
        risk, n = self.settings, self.problems
        nothing = "Nothing can be certified: think to the end."
        least = least_problems(risk)
        if n < least:
            return (
                f"{nothing} There are {n} calibration problems, and {least} are needed "
                "even if none loses its right answer."
            )
        counted = f"{self.losses} of {n} calibration problems lose their right answer"
        if self.threshold is None:
            return f"{nothing} At the most careful threshold {counted}."
        return (
            f"With threshold {self.threshold:g}, at most {risk.epsilon:.1%} of all "
            f"problems lose their right answer, at confidence {1 - risk.delta:.0%}: "
            f"{counted}."
        )


def certify(
    lost: np.ndarray, thresholds: Sequence[float], settings: RiskSettings
) -> Certificate:
    """Fixed-sequence test of thresholds.

    Args:
        lost: [problem, threshold], bool: right at the end and wrong at the exit. One
            thought of each problem, because the p-values need independent cases. No
            score may have been trained on these problems.
        thresholds: from the most careful to the boldest, fixed beforehand.
        settings: epsilon and delta.
    """
    problems, losses = len(lost), lost.sum(0)
    p_values = loss_p_values(losses, problems, settings.epsilon)
    count = int(passed_in_sequence(p_values, settings.delta))
    index = max(count - 1, 0)
    return Certificate(
        float(thresholds[index]) if count else None,
        int(losses[index]),
        problems,
        float(p_values[index]),
        settings,
    )


def loss_p_values(losses: np.ndarray, problems: int, epsilon: float) -> np.ndarray:
    """P(Binomial(problems, epsilon) <= losses); 1 without a problem.

    Args:
        losses: number of losses, any shape.
        problems: number of independent problems.
        epsilon: the risk under the null hypothesis.
    """
    from scipy.special import bdtr  # here, because its import is slow

    return bdtr(losses, problems, epsilon)


def passed_in_sequence(p_values: np.ndarray, delta: float) -> np.ndarray:
    """How many p-values [..., threshold] are at most delta before the first above."""
    return np.logical_and.accumulate(p_values <= delta, axis=-1).sum(-1)


def least_problems(settings: RiskSettings) -> int:
    """Fewest problems that certify anything: least n, (1 - epsilon)^n <= delta."""
    return math.ceil(math.log(settings.delta) / math.log1p(-settings.epsilon) - 1e-9)
