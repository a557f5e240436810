"""Class-conditional conformal exits: calibration of LYNX's prediction sets.

Split conformal prediction per class (Vovk 2012). With p the probability that an exit is
right, s = 1 - p for right and s = p for wrong calibration cases. q_c is the k-th
smallest s of the n_c cases of class c, k = ceil((n_c + 1)(1 - delta)), and infinite if
k > n_c. A published code takes the largest s then, and its sets cover less than stated.
If the cases of a class and a new one are exchangeable, the set of the new one holds its
class with a probability of at least 1 - delta.

A rule looks several times at a thought. Its chance to stop at some wrong point of a
thought is then larger than delta, if each point is a case of its own. So a case can
also be a whole problem, with the largest s of its points. Then delta bounds the share
of problems with a wrong point at which the rule would stop at one.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from doubletake.exit_rules.probes import Lynx


@dataclass(frozen=True)
class ConformalExit:
    """Quantiles of both classes, and what they come from."""

    q_right: float
    q_wrong: float
    right: int
    """Calibration cases of the class."""
    wrong: int
    delta: float

    @property
    def can_stop(self) -> bool:
        """Whether any point can be stopped at."""
        return math.isfinite(self.q_wrong)

    @property
    def sentence(self) -> str:
        """What it means, for the page."""
        if self.can_stop:
            return (
                f"Of wrong cases, at most {self.delta:.1%} are stopped at "
                f"({self.wrong} wrong calibration cases)."
            )
        return (
            "Nothing can be certified: think to the end. There are "
            f"{self.wrong} wrong calibration cases, and {least_cases(self.delta)} are "
            "needed."
        )

    def rule(self, rule: Lynx) -> Lynx:
        """The rule with these quantiles."""
        return replace(rule, threshold=self.q_wrong, q_right=self.q_right)


def conformal_exit(
    p: np.ndarray,
    right: np.ndarray,
    delta: float,
    problems: np.ndarray | None = None,
) -> ConformalExit:
    """Calibrate both classes.

    Args:
        p: [point], the probe's probability that a forced exit is right.
        right: [point], bool, whether it is.
        delta: allowed error of each class.
        problems: [point], the problem of each point, if a case is a whole problem;
            else each point is a case.
    """
    cases = {}
    for label in (True, False):
        taken = right == label
        scores = (1 - p if label else p)[taken]
        if problems is not None:
            _, index = np.unique(problems[taken], return_inverse=True)
            largest = np.full(index.max(initial=-1) + 1, -math.inf)
            np.maximum.at(largest, index, scores)
            scores = largest
        cases[label] = scores
    return ConformalExit(
        conformal_quantile(cases[True], delta),
        conformal_quantile(cases[False], delta),
        len(cases[True]),
        len(cases[False]),
        delta,
    )


def conformal_quantile(scores: np.ndarray, delta: float) -> float:
    """The k-th smallest score, k = ceil((n + 1)(1 - delta)); infinite if k > n."""
    rank = math.ceil((len(scores) + 1) * (1 - delta) - 1e-9)  # 1e-9: rounding errors
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


def least_cases(delta: float) -> int:
    """Fewest cases of a class with a finite quantile: (1 - delta)/delta, rounded up."""
    return math.ceil((1 - delta) / delta - 1e-9)
