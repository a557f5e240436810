"""Answer convergence: stop where the answer stays the same sentence after sentence."""

import math
from dataclasses import dataclass

from doubletake.exit_rules.agreement import run_length
from doubletake.exit_rules.points import SENTENCE, History
from doubletake.exit_rules.rule import TRIAL, Rule


@dataclass(frozen=True)
class Convergence(Rule):
    """Answer consistency (Liu & Wang 2025, `launchnlp/reasoning_earlystop`).

    After each sentence a trial answer; stop where the last k answers are equal. The
    published code also counts equal empty answers; here an empty answer ends a run.
    """

    threshold: float = 10
    """k, number of equal answers in a row; published: 10, and 3 for short thoughts."""

    kinds = frozenset({SENTENCE})
    needs = frozenset({TRIAL})
    grid = (20, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)

    def score(self, history: History) -> float:
        """Number of equal answers in a row."""
        return run_length(history)

    @property
    def least_points(self) -> int:
        """K."""
        return math.ceil(self.threshold)
