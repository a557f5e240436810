"""Dynasor: stop where the answers of regular probes agree."""

import math
import operator
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from doubletake.exit_rules.agreement import run_length
from doubletake.exit_rules.points import EVERY, History, TrialPoint
from doubletake.exit_rules.rule import TRIAL, Rule

UNCERTAIN = ("wait", "hold", "but", "okay", "no", "hmm")


@dataclass(frozen=True)
class Dynasor(Rule):
    """Agreement of the last k probes (Fu et al. 2025, `dynasor/core/entropy.py`).

    Every `every` tokens a trial answer. Stop where the last k answers are equal and not
    empty, and no text of these trials holds one of `UNCERTAIN`. As published, a word is
    found anywhere in the text, also inside another word ("no" in "know").
    """

    threshold: float = 3
    """k, number of equal answers in a row."""
    every: int = 64
    """C, tokens between two trials."""

    kinds = frozenset({EVERY})
    needs = frozenset({TRIAL})
    grid: ClassVar[tuple[float, ...]] = (16, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1)

    def score(self, history: History) -> float:
        """Number of equal, certain answers in a row."""
        return run_length(history, is_certain)

    def looks_at(self, point: TrialPoint) -> bool:
        """At the multiples of `every` tokens."""
        return super().looks_at(point) and point.token % self.every == 0

    @property
    def least_points(self) -> int:
        """K."""
        return math.ceil(self.threshold)

    @property
    def stride(self) -> int:
        """Tokens between two looks."""
        return self.every


@dataclass(frozen=True)
class DynasorEntropy(Dynasor):
    """Entropy form: stop where H(last `window` answers) <= threshold, in bits.

    H = -sum_a p_a log2 p_a, with p_a the share of answer a in the window. An answer
    that is empty counts as a value of its own. Nothing stops at an empty answer, so a
    window of empty answers, whose entropy is 0, does not stop.
    """

    threshold: float = 0.01
    window: int = 3
    """k, number of answers."""

    grid = (0.0, 0.01, 0.3, 0.5, 0.6, 0.9, 1.0, 1.5, 2.0)
    compare = operator.le

    def score(self, history: History) -> float:
        """Entropy of the window in bits; NaN before `window` answers."""
        if len(history) < self.window or history[-1].answer is None:
            return math.nan
        counts = Counter(point.answer for point in history[-self.window :])
        shares = [count / self.window for count in counts.values()]
        return -math.fsum(share * math.log2(share) for share in shares)

    @property
    def least_points(self) -> int:
        """The window."""
        return self.window


def is_certain(point: TrialPoint) -> bool:
    """Whether the trial's text holds no word of doubt."""
    text = point.trial_text.lower()
    return not any(word in text for word in UNCERTAIN)
