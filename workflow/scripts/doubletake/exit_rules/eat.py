"""EAT: stop where the entropy after the end-of-thought marker no longer changes."""

import math
import operator
from dataclasses import dataclass

from doubletake.exit_rules.points import PARAGRAPH, History
from doubletake.exit_rules.rule import ENTROPY, Rule


@dataclass(frozen=True)
class Eat(Rule):
    """Entropy after the end of thinking (Wang et al. 2025, `xidulu/EAT`).

    At each paragraph break x_i = H(next token | thought, end-of-thought marker), bits.
    m_i = a x_i + (1 - a) m_(i-1), m_1 = x_1;
    V_i = a (x_i - m_i)^2 + (1 - a) V_(i-1), V_1 = 0.
    Stop at the first i >= 4 / a with V_i < threshold. With a = 0.2 a thought needs 20
    paragraphs.
    """

    threshold: float = 1e-4
    """Variance in bits squared; swept as 1.5^-j by the authors, 1e-4 in interwhen."""
    weight: float = 0.2
    """a, weight of the newest value."""

    kinds = frozenset({PARAGRAPH})
    needs = frozenset({ENTROPY})
    grid = tuple(1.5**-j for j in range(30, -1, -2))
    compare = operator.lt

    def score(self, history: History) -> float:
        """Moving variance of the entropies; NaN at the first points."""
        if len(history) < self.least_points:
            return math.nan
        a = self.weight
        mean, variance = history[0].entropy, 0.0
        for point in history[1:]:
            mean = a * point.entropy + (1 - a) * mean
            variance = a * (point.entropy - mean) ** 2 + (1 - a) * variance
        return variance

    @property
    def least_points(self) -> int:
        """4 / a."""
        return math.ceil(4 / self.weight - 1e-9)  # 4 / 0.2 may be above 20
