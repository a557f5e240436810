"""Collects what the exits of a shard say: rows, checks and refused traces."""

import logging
from functools import partial
from typing import Any

import torch

from doubletake.model.branch_rows import replay_unpacked, tokens_computed
from doubletake.model.branches import Branch, Prefix, longest_sequence
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.model.exit_points import ExitPoint, exit_points_of, suffix_as_written
from doubletake.model.forced_answers import AnswerPrompt, answer_columns
from doubletake.text.grading import Task
from early_exit.exit_plans import CheckedExits, PlannedPrefix, TracePlan
from early_exit.float32_pass import in_float32
from early_exit.verification_figures import (
    ReplayDifferences,
    RetokenizationEffect,
    RoundingErrors,
)

logger = logging.getLogger("measure_early_exit")


class ExitMeasurement:
    """Plans the exits of a shard, reads their answers and collects the tables' rows."""

    def __init__(
        self,
        decoder: Decoder,
        prompt: AnswerPrompt,
        max_answer_tokens: int,
    ) -> None:
        """Start with empty tables."""
        self.decoder, self.prompt = decoder, prompt
        self.max_answer_tokens = max_answer_tokens
        self.max_positions = decoder.max_positions
        self.rows: list[dict[str, Any]] = []
        self.differences = ReplayDifferences()
        self.rounding = RoundingErrors()
        self.retokenization = RetokenizationEffect()
        self.refused: list[str] = []

    def plan(
        self, trace: dict[str, Any], arrivals: list[dict[str, Any]]
    ) -> TracePlan | None:
        """The exits of one trace; None, with a warning, if they are too long."""
        points = exit_points_of(trace, arrivals, self.prompt)
        branches = [self._branch(point.cut, point.suffix) for point in points]
        needed = longest_sequence(branches)
        if needed > self.max_positions:
            self.refused.append(trace["trace"])
            logger.warning(
                "trace %s refused: its exits need %d tokens, the model attends to %d",
                trace["trace"],
                needed,
                self.max_positions,
            )
            return None
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        as_written = {
            point.number: self._branch(point.sentence_end, suffix)
            for point in points
            if (suffix := suffix_as_written(ids, point, self.prompt)) is not None
        }
        self.retokenization.exits += len(points) - 1
        self.retokenization.changed += len(as_written)
        return TracePlan(trace, points, branches, as_written)

    def add(
        self,
        planned: PlannedPrefix,
        continuations: list[Continuation],
        task: Task,
        checked: CheckedExits,
    ) -> int:
        """Add the exits of one trace; return the number of tokens computed.

        Args:
            planned: what was continued.
            continuations: of its branches.
            task: the problem and its reference answer.
            checked: the exits to check.
        """
        plan, name = planned.plan, planned.prefix.name
        of_exits = continuations[: len(plan.branches)]
        answers: dict[int, dict[str, Any]] = {}
        for point, branch, packed in zip(
            plan.points, plan.branches, of_exits, strict=True
        ):
            answers[point.number] = answer_columns(packed, task, self.prompt)
            self.rows.append(exit_row(name, point, answers[point.number]))
            if (name, point.number) in checked.replayed:
                exact = (name, point.number) in checked.exact
                self._replay(planned.prefix, branch, packed, exact)
        for number, other in zip(
            planned.as_written, continuations[len(plan.branches) :], strict=True
        ):
            answer = answer_columns(other, task, self.prompt)
            self.retokenization.compare(answers[number], answer)
        return tokens_computed(plan.branches, of_exits)

    def _branch(self, cut: int, suffix: tuple[int, ...]) -> Branch:
        return Branch(cut, suffix, self.max_answer_tokens, self.prompt.ends)

    def _replay(
        self, prefix: Prefix, branch: Branch, packed: Continuation, exact: bool
    ) -> None:
        """Compare with a plain pass; if `exact` in float32, too."""
        replay = partial(
            replay_unpacked, self.decoder, prefix.ids, branch, packed.tokens
        )
        plain, choices = replay()
        self.differences.add(packed, plain, choices, self.prompt)
        if exact and self.decoder.dtype != torch.float32:
            with in_float32(self.decoder):
                true, choices = replay()
            self.rounding.add(packed, plain, true, choices, self.prompt)

    @property
    def note(self) -> str:
        """Which traces were refused, for the table of runs."""
        if not self.refused:
            return ""
        names = ", ".join(self.refused)
        return (
            f"{len(self.refused)} trace(s) beyond {self.max_positions} tokens refused: "
            f"{names}"
        )


def exit_row(trace: str, point: ExitPoint, answer: dict[str, Any]) -> dict[str, Any]:
    """A row of `EARLY_EXIT`; `answer` holds the columns of the forced answer."""
    exit_columns = {
        "trace": trace,
        "exit": point.number,
        "tokens_before": point.tokens_before,
    }
    return exit_columns | answer
