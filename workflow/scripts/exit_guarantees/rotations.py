"""Rotations: every problem is reported once, and chosen on, and trained on, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from doubletake.exit_rules.splits import (
    GROUPS,
    calibration_group,
    one_per_problem,
    problem_groups,
    training_group,
)
from doubletake.exit_rules.thoughts import Thought
from doubletake.running.errors import InputError
from exit_probes.reading import Scores, scores_by
from trial_points.reading import thoughts_of


@dataclass(frozen=True)
class Rotation:
    """One group of problems, and the problems that choose its thresholds.

    Both have scores of one probe, which the third group has trained.
    """

    group: int
    """The group that is reported."""
    calibration: Sequence[Thought]
    """All thoughts on the problems of `calibration_group(group)`."""
    reported: Sequence[Thought]
    """All thoughts on the problems of `group`."""

    def one_per_problem(self, seed: int) -> "Rotation":
        """The same rotation with one drawn thought of each problem."""
        return Rotation(
            self.group,
            one_per_problem(self.calibration, seed),
            one_per_problem(self.reported, seed),
        )


def rotations(
    points: pl.DataFrame,
    traces: pl.DataFrame,
    seed: int,
    scores: Mapping[int, Scores] | None = None,
) -> list[Rotation]:
    """The three rotations of a study.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`, with all traces of the points.
        seed: of the draw of the groups.
        scores: scores of the probe that each group has trained, for points of the
            other groups; None for rules without a probe.
    """
    groups = problem_groups(points["problem"], seed)
    found = []
    for group in range(GROUPS):
        by_point = (scores or {}).get(training_group(group))
        parts = []
        for taken in (calibration_group(group), group):
            names = [name for name, number in groups.items() if number == taken]
            own = pl.col("problem").is_in(names)
            rows = points.filter(own), traces.filter(own)
            parts.append(thoughts_of(*rows, by_point))
        found.append(Rotation(group, *parts))
    return found


def scores_of(
    table: pl.DataFrame, rule: str, points: pl.DataFrame, seed: int
) -> dict[int, Scores]:
    """The scores of a rule's probes, by the group that trained the probe.

    Args:
        table: `EXIT_PROBE_SCORES`.
        rule: the exit rule that reads the probes.
        points: `TRIAL_POINTS`.
        seed: of the draw of the groups.

    Raises:
        InputError: a probe has seen a problem that it scores.
    """
    groups = problem_groups(points["problem"], seed)
    for problem, trained_on in table.select("problem", "trained_on").unique().rows():
        if groups.get(problem) == trained_on:
            raise InputError(
                f"exit_probes/scores: problem {problem} has the score of a probe that "
                f"its own group {trained_on} has trained; exit_probes and "
                "exit_guarantees must draw the same groups"
            )
    return {group: scores_by(table, rule, group) for group in range(GROUPS)}
