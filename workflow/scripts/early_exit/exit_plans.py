"""Which cuts of a trace are computed, and which are verified."""

from dataclasses import dataclass, replace
from typing import Any

from doubletake.stats.verification import (
    Case,
    Verification,
    drawn,
)
from early_exit.exit_points import ExitPoint
from early_exit.shared_prefill import Branch


@dataclass(frozen=True)
class TracePlan:
    """The exits of a trace, and what the model reads for them."""

    trace: dict[str, Any]
    """A row of `TRACES`."""
    points: list[ExitPoint]
    branches: list[Branch]
    """The branches that are computed, one per exit."""
    as_written: dict[int, Branch]
    """By exit number: the branch that keeps the sentence's own tokens, for exits where
    this branch reads other tokens."""

    def tokens(self, max_answer_tokens: int) -> int:
        """Tokens that the model reads for all exits, if every answer is the longest."""
        answers = sum(
            len(branch.suffix) + max_answer_tokens - 1 for branch in self.branches
        )
        return max(branch.cut for branch in self.branches) + answers

    def replay_cases(self, max_answer_tokens: int) -> list[Case]:
        """One case per exit; its cost is its full length, for a plain forward pass."""
        return [
            Case(
                (self.trace["trace"], point.number),
                branch.cut + len(branch.suffix) + max_answer_tokens - 1,
            )
            for point, branch in zip(self.points, self.branches, strict=True)
        ]

    def as_written_cases(self, max_answer_tokens: int) -> list[Case]:
        """The exits that retokenization changes; they share the trace's prefill."""
        name = self.trace["trace"]
        return [
            Case((name, number), len(branch.suffix) + max_answer_tokens - 1)
            for number, branch in self.as_written.items()
        ]


@dataclass(frozen=True)
class CheckedExits:
    """The exits that are checked, as pairs of trace and exit number."""

    replayed: set[tuple[str | int, ...]]
    """Exits that are computed again in a plain forward pass."""
    as_written: set[tuple[str | int, ...]]
    """Exits that are computed again with the sentence's own tokens."""


def draw_checked_exits(
    plans: list[TracePlan], max_answer_tokens: int, settings: Verification
) -> CheckedExits:
    """Draw the exits to check; each check takes half of the share, costs are tokens.

    Args:
        plans: traces of the shard, without refused traces.
        max_answer_tokens: length of the longest answer.
        settings: how many exits are checked.
    """
    work = sum(plan.tokens(max_answer_tokens) for plan in plans)
    half = replace(settings, share=settings.share / 2)
    replays = [case for plan in plans for case in plan.replay_cases(max_answer_tokens)]
    written = [
        case for plan in plans for case in plan.as_written_cases(max_answer_tokens)
    ]
    names = [
        {case.name for case in drawn(cases, work, half)} for cases in (replays, written)
    ]
    return CheckedExits(*names)
