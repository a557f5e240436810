"""Rules that read a probe: their scores, and the calibration of LYNX.

No probe has seen the problems that it scores here. A thought of group g has scores of
the probe of group g + 2. LYNX is calibrated with the same probe on the cues of group
g + 1 (`doubletake.exit_rules.splits`), each cue a case of its own, as published.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from doubletake.exit_rules.conformal import ConformalExit, conformal_exit
from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.replay import Stops, replay
from doubletake.exit_rules.splits import (
    GROUPS,
    calibration_group,
    problem_groups,
    training_group,
)
from doubletake.exit_rules.thoughts import Thought
from exit_probes.reading import reported_scores, scores_by
from exit_probes.tables import RULES
from trial_points.reading import thoughts_of


@dataclass(frozen=True)
class ProbedThoughts:
    """The thoughts of a study with the scores of each rule that reads a probe."""

    thoughts: dict[str, list[Thought]]
    """By rule."""
    refused: dict[str, str]
    """Why a rule has no probe for each group, by rule."""
    work: dict[str, float] = field(default_factory=dict)
    """Work of a score in forward passes of one token, by rule."""


def probed_thoughts(
    points: pl.DataFrame,
    traces: pl.DataFrame,
    scores: pl.DataFrame,
    quality: pl.DataFrame,
) -> ProbedThoughts:
    """Give each rule its scores.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`.
        scores: `EXIT_PROBE_SCORES`.
        quality: `EXIT_PROBE_QUALITY`.
    """
    found = ProbedThoughts({}, {})
    for rule in RULES:
        rows = quality.filter(rule=rule)
        missing = rows.filter(
            pl.col("trained_on").is_not_null() & pl.col("why_not").is_not_null()
        )
        if missing.height:
            group, reason = missing.select("trained_on", "why_not").row(0)
            found.refused[rule] = f"{rule} has no probe of group {group}: {reason}"
            continue
        own = reported_scores(scores, rule)
        found.thoughts[rule] = thoughts_of(points, traces, own)
        work = rows["work"].drop_nulls()
        found.work[rule] = float(work[0]) if len(work) else 0.0
    return found


def replay_lynx(
    rule: Lynx,
    thoughts: list[Thought],
    scores: pl.DataFrame,
    delta: float,
    seed: int,
) -> tuple[Stops, dict[int, ConformalExit]]:
    """Calibrate LYNX for each group, and replay it there.

    Args:
        rule: LYNX; its quantiles are not read.
        thoughts: all thoughts, with its scores.
        scores: `EXIT_PROBE_SCORES`.
        delta: allowed error of each class.
        seed: of the groups.

    Returns:
        Where it stops each thought, and the calibration that each group reports.
    """
    groups = problem_groups((thought.problem for thought in thoughts), seed)
    own_group = {thought.trace: groups[thought.problem] for thought in thoughts}
    right_at = {thought.trace: thought.right[1:] for thought in thoughts}
    exits, parts = {}, []
    for group in range(GROUPS):
        probed = scores_by(scores, rule.name, training_group(group))
        cases = [
            point for point in probed if own_group[point[0]] == calibration_group(group)
        ]
        p = np.array([probed[point] for point in cases], dtype=float)
        right = np.array([right_at[trace][point] for trace, point in cases], dtype=bool)
        exits[group] = conformal_exit(p, right, delta)
        inside = [one for one in thoughts if own_group[one.trace] == group]
        parts.append(replay(exits[group].rule(rule), inside))
    return joined(parts, thoughts), exits


def joined(parts: list[Stops], thoughts: list[Thought]) -> Stops:
    """The stops of all thoughts, from replays of disjoint parts of them.

    Args:
        parts: of one rule.
        thoughts: all of them, in the order of the result.
    """
    traces = [thought.trace for part in parts for thought in part.thoughts]
    place = {trace: number for number, trace in enumerate(traces)}
    order = [place[thought.trace] for thought in thoughts]

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    columns = map(column, ("point", "bill", "looks", "able"))
    return Stops(parts[0].name, thoughts, *columns)


def calibration_rows(exits: dict[int, ConformalExit]) -> list[dict[str, Any]]:
    """The rows of `LYNX_CALIBRATION`."""
    return [
        {
            "group": group,
            "delta": one.delta,
            "q_right": finite(one.q_right),
            "q_wrong": finite(one.q_wrong),
            "right": one.right,
            "wrong": one.wrong,
            "can_stop": one.can_stop,
        }
        for group, one in exits.items()
    ]


def finite(value: float) -> float | None:
    """A number for a table: None for an infinite one."""
    return value if np.isfinite(value) else None
