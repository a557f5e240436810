"""Finished thoughts on which the rules are replayed, to compare with decoding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from doubletake.exit_rules.rule import Rule
from doubletake.exit_rules.thoughts import Thought
from doubletake.exit_rules.trial_plans import plan_of
from doubletake.model.branch_rows import continue_branches
from doubletake.text.grading import Task
from exit_probes.reading import PointProbe, Scores
from exit_probes.tables import RULES
from online_exit.comparison import Replayed
from online_exit.decoding import Engine
from online_exit.looks import Looking
from traces.tables import TRACES
from trial_points.reading import thoughts_of
from trial_points.tables import TRIAL_POINTS

ProbeOf = Callable[[str, str], PointProbe | None]
"""Given a rule and a problem: the probe that the rule reads there."""


@dataclass(frozen=True)
class Reference:
    """Finished thoughts with their trial points, by trace."""

    completion_ids: dict[str, list[int]]
    trial_ids: dict[str, list[list[int]]]
    """Tokens of the trial answer at each point."""
    thoughts: dict[str, dict[str, Thought]]
    """By the name of the rule that reads a probe, or ""; then by trace."""

    @classmethod
    def of(
        cls, points: pl.DataFrame, traces: pl.DataFrame, scores: dict[str, Scores]
    ) -> "Reference":
        """Thoughts of two tables.

        Args:
            points: `TRIAL_POINTS`.
            traces: `TRACES`.
            scores: of each rule that reads a probe.
        """
        ids = dict(traces.select("trace", "completion_ids").iter_rows())
        rows = points.sort("trace", "point").group_by("trace", maintain_order=True)
        trials = dict(rows.agg("trial_ids").iter_rows())
        thoughts = {
            rule: {one.trace: one for one in thoughts_of(points, traces, own)}
            for rule, own in {"": {}, **scores}.items()
        }
        return cls(ids, trials, thoughts)

    def of_rule(self, rule: Rule) -> dict[str, Thought]:
        """The thoughts as a rule reads them, by trace."""
        return self.thoughts.get(rule.name, self.thoughts[""])

    def replayed(self, rule: Rule, trace: str) -> Replayed | None:
        """A rule on a finished thought; None without this thought."""
        thought = self.of_rule(rule).get(trace)
        if thought is None:
            return None
        ids, trials = self.completion_ids[trace], self.trial_ids[trace]
        return Replayed.of(rule, thought, ids, trials)


def measured_reference(
    engine: Engine,
    looking: Looking,
    rows: Sequence[dict[str, Any]],
    problems: dict[str, tuple[str, str]],
    probe_of: ProbeOf,
) -> Reference:
    """Finished thoughts whose trials are computed now, packed on one prefill each.

    Args:
        engine: with the model.
        looking: which points, and the trials.
        rows: rows of `TRACES`.
        problems: question and reference answer by id.
        probe_of: the probes.
    """
    trials = looking.trials
    layers = {
        layer
        for row in rows
        for rule in RULES
        if (probe := probe_of(rule, row["problem"])) is not None
        for layer in probe.layers
    }
    boundaries = tuple(sorted(layers))
    plans = [
        plan_of(
            row,
            problems[row["problem"]][0],
            trials,
            kinds=list(looking.kinds),
            every=looking.every,
            most_points=None,
            boundaries=boundaries,
        )
        for row in rows
    ]
    found: list[dict[str, Any]] = []
    scores: dict[str, Scores] = {rule: {} for rule in RULES}
    prefixes = [plan.prefix for plan in plans]
    for number, said in continue_branches(
        engine.decoder, prefixes, engine.batch_memory
    ):
        plan = plans[number]
        question, gold = problems[plan.trace["problem"]]
        text = ""
        for row, one in zip(plan.rows, said, strict=True):
            text += row["chunk"]
            found.append(row | trials.columns(one, Task(gold, question, text)))
            if one.states is None:
                continue
            states = one.states.float().numpy()
            for rule in RULES:
                probe = probe_of(rule, row["problem"])
                if probe is not None:
                    own = [boundaries.index(layer) for layer in probe.layers]
                    score = probe.score(states[np.array(own)])
                    scores[rule][row["trace"], row["point"]] = score
    return Reference.of(TRIAL_POINTS.frame(found), TRACES.frame(list(rows)), scores)
