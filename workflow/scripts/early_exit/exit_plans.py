"""Which cuts of a trace are computed, and which are verified."""

from dataclasses import dataclass, replace
from typing import Any

from doubletake.model.branches import Branch, Prefix
from doubletake.model.exit_points import ExitPoint
from doubletake.stats.draws import Name
from doubletake.stats.verification import (
    Case,
    Verification,
    drawn,
)


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

    @property
    def tokens(self) -> int:
        """Tokens that the model reads for all exits, if every answer is the longest."""
        answers = sum(branch.tokens for branch in self.branches)
        return max(branch.cut for branch in self.branches) + answers

    @property
    def replay_cases(self) -> list[Case]:
        """One case per exit; its cost is its full length, for a plain forward pass."""
        return [
            Case((self.trace["trace"], point.number), branch.cut + branch.tokens)
            for point, branch in zip(self.points, self.branches, strict=True)
        ]

    @property
    def as_written_cases(self) -> list[Case]:
        """The exits that retokenization changes; they share the trace's prefill."""
        name = self.trace["trace"]
        return [
            Case((name, number), branch.tokens)
            for number, branch in self.as_written.items()
        ]


@dataclass(frozen=True)
class CheckedExits:
    """The exits that are checked, as pairs of trace and exit number."""

    replayed: set[Name]
    """Exits that are computed again in a plain forward pass."""
    exact: set[Name]
    """Those of them that a 16-bit model computes again in float32, too."""
    as_written: set[Name]
    """Exits that are computed again with the sentence's own tokens."""


@dataclass(frozen=True)
class PlannedPrefix:
    """A trace as the model reads it."""

    plan: TracePlan
    as_written: list[int]
    """Numbers of the exits that are continued with the sentence's own tokens, too."""
    prefix: Prefix
    """The trace with its branches: those of the plan, then those of `as_written`."""

    @classmethod
    def of(cls, plan: TracePlan, checked: CheckedExits) -> "PlannedPrefix":
        """The trace of a plan, with the branches that are checked."""
        trace, name = plan.trace, plan.trace["trace"]
        numbers = [
            number for number in plan.as_written if (name, number) in checked.as_written
        ]
        branches = [*plan.branches, *(plan.as_written[number] for number in numbers)]
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        return cls(plan, numbers, Prefix(name, ids, branches))


def draw_checked_exits(plans: list[TracePlan], settings: Verification) -> CheckedExits:
    """Draw the exits to check; each check takes half of the share, costs are tokens.

    A pass in float32 is slow on a GPU, so only the minimum of cases has one.

    Args:
        plans: traces of the shard, without refused traces.
        settings: how many exits are checked.
    """
    work = sum(plan.tokens for plan in plans)
    half = replace(settings, share=settings.share / 2)
    replayed, as_written = (
        [case.name for case in drawn(cases, work, half)]
        for cases in (
            [case for plan in plans for case in plan.replay_cases],
            [case for plan in plans for case in plan.as_written_cases],
        )
    )
    exact = replayed[: settings.minimum]
    return CheckedExits(set(replayed), set(exact), set(as_written))
