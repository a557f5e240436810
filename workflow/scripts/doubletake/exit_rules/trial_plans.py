"""Which trials of a trace are computed, and what its rows say before they are."""

from dataclasses import dataclass
from typing import Any

from doubletake.exit_rules.places import Place, ThoughtPlaces, limited, places_of
from doubletake.exit_rules.points import KEPT, KINDS
from doubletake.exit_rules.trials import Trials
from doubletake.model.branches import Branch, Prefix
from doubletake.stats.verification import Case
from doubletake.text.trace_positions import text_between


@dataclass(frozen=True)
class TrialPlan:
    """The points of a trace and their trials."""

    trace: dict[str, Any]
    """A row of `TRACES`."""
    rows: list[dict[str, Any]]
    """Columns of `TRIAL_POINTS` that need no model, one row per point."""
    branches: list[Branch]
    """The trial at each point."""

    @property
    def prefix(self) -> Prefix:
        """The trace as the model reads it."""
        ids = [*self.trace["prompt_ids"], *self.trace["completion_ids"]]
        return Prefix(self.trace["trace"], ids, self.branches)

    @property
    def tokens(self) -> int:
        """Tokens that the model reads if every trial becomes the longest."""
        longest = max(branch.cut for branch in self.branches)
        return longest + sum(branch.tokens for branch in self.branches)

    @property
    def cases(self) -> list[Case]:
        """One case per point; its cost is that of a plain pass."""
        name = self.trace["trace"]
        return [
            Case((name, number), branch.cut + branch.tokens)
            for number, branch in enumerate(self.branches)
        ]


def plan_of(
    trace: dict[str, Any],
    question: str,
    trials: Trials,
    *,
    kinds: list[str],
    every: int,
    most_points: int | None,
    boundaries: tuple[int, ...] = (),
) -> TrialPlan:
    """The points of a trace.

    Args:
        trace: a row of `TRACES`.
        question: of its problem.
        trials: makes the branches.
        kinds: of `points.KINDS`; start and end are always points.
        every: distance of the points of the kind `every`.
        most_points: largest number of points; None: no limit.
        boundaries: whose states are kept at points of the kinds `points.KEPT`.
    """
    marker = trials.prompt.tokenizer.format.end
    thought = ThoughtPlaces(trace, trials.prompt.stop_ids, marker)
    places = places_of(thought, question, kinds, every)
    kept = limited(places, most_points)
    rows, before = [], thought.first
    for number, place in enumerate(kept):
        rows.append(
            _row(trace, number, place, thought.first)
            | {
                "left_out": len(places) - len(kept),
                "chunk": text_between(trace, before, place.cut),
            }
        )
        before = place.cut
    # A thought without its opening: the trial before it opens it.
    opening = "" if trace["thought_start"] else trials.prompt.tokenizer.opening_left
    branches = [
        trials.branch(
            place.cut,
            "" if number else opening,
            () if place.kinds.isdisjoint(KEPT) else boundaries,
        )
        for number, place in enumerate(kept)
    ]
    for row, branch in zip(rows, branches, strict=True):
        row["suffix_tokens"] = len(branch.suffix)
    return TrialPlan(trace, rows, branches)


def _row(
    trace: dict[str, Any], number: int, place: Place, first: int
) -> dict[str, Any]:
    return {
        "trace": trace["trace"],
        "problem": trace["problem"],
        "point": number,
        "token": place.cut,
        "tokens_before": place.cut - first,
        "tokens_read": place.read - first,
        **{kind: kind in place.kinds for kind in KINDS},
        "arrivals": place.arrivals,
        "cues": place.cues,
        "arrival_value": place.value,
    }
