"""The interface of all exit rules, and the watch that shows a rule its points."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from doubletake.exit_rules.points import History, TrialPoint

TRIAL, ENTROPY, MARKER, PROBE = "trial", "entropy", "marker", "probe"
NEEDS = (TRIAL, ENTROPY, MARKER, PROBE)
"""What a rule may ask for at a point: a trial answer (decoded on a branch), the entropy
after the end-of-thought marker (one forward pass on a branch), the log-prob of that
marker (known while decoding), the score of a probe (a small matrix product)."""


@dataclass(frozen=True)
class Rule(ABC):
    """An exit rule: it stops at the first look at which its score passes a threshold.

    The score depends on the points at which the rule has looked so far, and not on the
    threshold. So a sweep over thresholds needs the scores once.
    """

    name: str
    threshold: float
    """In the unit of the score; `compare(score, threshold)` stops."""

    kinds: ClassVar[frozenset[str]]
    """Kinds of points at which the rule looks."""
    needs: ClassVar[frozenset[str]]
    """What it asks for at each look, of `NEEDS`."""
    grid: ClassVar[tuple[float, ...]] = ()
    """Thresholds of a sweep, fixed beforehand, from the most careful to the boldest."""
    counts_events: ClassVar[bool] = False
    """Whether the score only counts what the thought holds, so that a thought with too
    few of it cannot be stopped."""
    compare: ClassVar[Callable[[Any, Any], Any]] = operator.ge

    @abstractmethod
    def score(self, history: History) -> float:
        """Readiness to stop at the last point; NaN where the rule cannot stop."""

    def decide(self, history: History) -> bool:
        """Whether to stop at the last point of the history."""
        return bool(type(self).compare(self.score(history), self.threshold))

    def looks_at(self, point: TrialPoint) -> bool:
        """Whether the rule looks at a point. None but `NoThought` looks before any."""
        return point.token > 0 and not self.kinds.isdisjoint(point.known_kinds)

    def needs_at(self, history: History) -> frozenset[str]:
        """What the rule asks for at the last point of the history, of `NEEDS`."""
        return self.needs

    @property
    def least_points(self) -> int:
        """Fewest looks with which the rule can stop. Shorter thoughts go to the end."""
        return 1

    @property
    def most_points(self) -> int | None:
        """Number of looks after which the rule looks no more; None without a limit."""
        return None

    @property
    def stride(self) -> int | None:
        """Tokens between two looks of a rule that looks every n tokens."""
        return None

    def with_threshold(self, threshold: float) -> "Rule":
        """The same rule with another threshold."""
        return replace(self, threshold=threshold)


class Watch:
    """Shows a rule the points of one thought, one after the other.

    Replay and decoding both use it, so a rule sees the same history in both.
    """

    def __init__(self, rule: Rule) -> None:
        """Start before the first point of a thought."""
        self.rule = rule
        self.history: list[TrialPoint] = []
        self._skipped: list[str] = []

    def needs_at(self, point: TrialPoint) -> frozenset[str] | None:
        """What the rule asks for at the next point, None if it does not look there.

        What the point holds of trial, entropy, marker and probe is not read.
        """
        if not self._looks_at(point):
            return None
        return self.rule.needs_at([*self.history, self._whole(point)])

    def add(self, point: TrialPoint) -> bool:
        """Go on to the next point; whether the rule looks there."""
        if not self._looks_at(point):
            self._skipped.append(point.chunk)
            return False
        self.history.append(self._whole(point))
        self._skipped.clear()
        return True

    def stops_at(self, point: TrialPoint) -> bool:
        """Go on to the next point; whether the rule stops the thought there."""
        return self.add(point) and self.rule.decide(self.history)

    def _looks_at(self, point: TrialPoint) -> bool:
        most = self.rule.most_points
        return (most is None or len(self.history) < most) and self.rule.looks_at(point)

    def _whole(self, point: TrialPoint) -> TrialPoint:
        """The point, with the text since the rule's last look as its chunk."""
        if not self._skipped:
            return point
        return replace(point, chunk="".join([*self._skipped, point.chunk]))
