"""Rules that only count: cues, arrivals, tokens. They ask for nothing."""

import math
from dataclasses import dataclass

from doubletake.exit_rules.points import ARRIVAL, CUE, END, KINDS, History, TrialPoint
from doubletake.exit_rules.rule import Rule


@dataclass(frozen=True)
class _Count(Rule):
    """Stop at the k-th event of a kind."""

    threshold: float = 1
    """k."""

    needs = frozenset()
    counts_events = True
    grid = (10, 8, 7, 6, 5, 4, 3, 2, 1)


@dataclass(frozen=True)
class CueCount(_Count):
    """Stop at the k-th backtrack cue: is there a backtracking token to stop at?"""

    kinds = frozenset({CUE})

    def score(self, history: History) -> float:
        """Cues up to the point."""
        return history[-1].cues


@dataclass(frozen=True)
class ArrivalCount(_Count):
    """Stop at the k-th arrival of a detector that reads no further than the point."""

    kinds = frozenset({ARRIVAL})

    def score(self, history: History) -> float:
        """Arrivals up to the point."""
        return history[-1].arrivals


@dataclass(frozen=True)
class TokenBudget(Rule):
    """Stop at the first trial point of any kind at or after a number of tokens."""

    threshold: float = 1024
    """Tokens."""

    kinds = frozenset(KINDS) - {END}
    needs = frozenset()
    counts_events = True
    grid = tuple(float(1 << power) for power in range(13, 3, -1))

    def score(self, history: History) -> float:
        """Thought tokens before the point."""
        return history[-1].token


@dataclass(frozen=True)
class NoThought(Rule):
    """Stop before any thought (Ma et al. 2025, "NoThinking", arXiv 2504.09858)."""

    threshold: float = 0

    kinds = frozenset()
    needs = frozenset()

    def score(self, history: History) -> float:
        """0: it always stops at its point."""
        return 0.0

    def looks_at(self, point: TrialPoint) -> bool:
        """At the point before the first token of the thought."""
        return point.token == 0


@dataclass(frozen=True)
class ToTheEnd(Rule):
    """Never stop: what all rules are compared with."""

    threshold: float = math.inf

    kinds = frozenset()
    needs = frozenset()

    def score(self, history: History) -> float:
        """NaN: it has no point."""
        return math.nan
