"""Policies that need the whole thought or the right answer: baseline and ceiling.

None of them can decide while a thought runs.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from doubletake.exit_rules.thoughts import Thought


@dataclass(frozen=True)
class Hindsight(ABC):
    """A policy that sees the whole thought."""

    name: str

    needs_gold: ClassVar[bool] = False

    @abstractmethod
    def stop(self, thought: Thought) -> int | None:
        """Number of the trial point, from 0; None for the end of the thought."""


@dataclass(frozen=True)
class TokenShare(Hindsight):
    """The first trial point at or after a share of the thought's tokens.

    Not causal: the length of a running thought is not known.
    """

    share: float

    def stop(self, thought: Thought) -> int | None:
        """The first point that is not before the share."""
        least = self.share * thought.tokens
        points = thought.points
        return next((k for k in thought.exits if points[k].token >= least), None)


@dataclass(frozen=True)
class Oracle(Hindsight):
    """The earliest exit that is right; with `lasting`, right from there on.

    With `lasting`, all later points and the end must be right, too. So the oracle ends
    right where the whole thought does, with as few tokens as possible. Without it, the
    policy is the ceiling of accuracy: right where any point or the end is (the oracle
    of ThinkBrake, arXiv 2510.00546). A thought without such a point goes to its end.
    """

    lasting: bool = True

    needs_gold = True

    def stop(self, thought: Thought) -> int | None:
        """The earliest such point."""
        right = thought.right[1:]
        if self.lasting:
            right = right[::-1].cumprod()[::-1].astype(bool) & thought.right[0]
        return next((k for k in thought.exits if right[k]), None)
