"""Rules that read a probe of the model's hidden state."""

import math
import operator
from dataclasses import dataclass

from doubletake.exit_rules.points import ARRIVAL, CUE, History, TrialPoint
from doubletake.exit_rules.rule import PROBE, Rule


@dataclass(frozen=True)
class CorrectnessProbe(Rule):
    """Stop at an arrival whose value the probe takes for right (Zhang et al. 2025).

    Probability of a probe at the arrival >= threshold (arXiv 2504.05419). The probe
    must come from other problems. Theirs reads the last layer at the last token of the
    chunk that holds the answer.
    """

    threshold: float = 0.85

    kinds = frozenset({ARRIVAL})
    needs = frozenset({PROBE})
    grid = (0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5)

    def score(self, history: History) -> float:
        """Probability that the value is right."""
        return probe_score(self.name, history[-1])


@dataclass(frozen=True)
class Lynx(Rule):
    """LYNX: stop at a cue where "right" is the only answer of a conformal set.

    With p the probe's probability that a forced exit is right, the set holds "right" if
    1 - p <= q_right and "wrong" if p <= q_wrong (`farukakgul/LYNX`). So the rule stops
    where p >= 1 - q_right and p > q_wrong. `doubletake.exit_rules.conformal` gives the
    two quantiles. An infinite quantile keeps its class in every set: without
    calibration the rule never stops. The published code has delta = 0.1 by default,
    and its runs on GSM8K have 0.03.
    """

    threshold: float = math.inf
    """q_wrong."""
    q_right: float = math.inf

    kinds = frozenset({CUE})
    needs = frozenset({PROBE})
    compare = operator.gt

    def score(self, history: History) -> float:
        """P where the set holds "right", else NaN."""
        p = probe_score(self.name, history[-1])
        return p if 1 - p <= self.q_right else math.nan


def probe_score(rule: str, point: TrialPoint) -> float:
    """The probe's score of a point.

    Raises:
        ValueError: the point has none.
    """
    if point.probe_score is None:
        raise ValueError(f"{rule}: the point at token {point.token} has no probe score")
    return point.probe_score
