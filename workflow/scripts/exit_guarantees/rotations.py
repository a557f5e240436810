"""Rotations: every problem is reported once, and chosen on, and trained on, once."""

from collections.abc import Sequence
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
    scores: pl.DataFrame | None,
    seed: int,
) -> list[Rotation]:
    """The three rotations of a study.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`, with all traces of the points.
        scores: columns trace, point, trained_on (the group whose problems trained the
            probe), score (probability that the trial answer is right). Two rows for
            each scored point, one of each group but its own. None without probes.
        seed: of the draw of the groups.

    Raises:
        InputError: a score comes from a probe that was trained on its own problem.
    """
    groups = problem_groups(points["problem"], seed)
    if scores is not None:
        _refuse_own_scores(scores, points, groups)
    found = []
    for group in range(GROUPS):
        by_point = scores_of(scores, training_group(group))
        parts = []
        for taken in (calibration_group(group), group):
            names = [name for name, number in groups.items() if number == taken]
            rows = points.filter(pl.col("problem").is_in(names))
            parts.append(thoughts_of(rows, traces, by_point))
        found.append(Rotation(group, *parts))
    return found


def scores_of(
    scores: pl.DataFrame | None, trained_on: int
) -> dict[tuple[str, int], float]:
    """Scores of the probe of one group, by trace and point."""
    if scores is None:
        return {}
    rows = scores.filter(trained_on=trained_on)
    keys = rows.select("trace", "point").iter_rows()
    return {
        (trace, point): score
        for (trace, point), score in zip(keys, rows["score"], strict=True)
    }


def _refuse_own_scores(
    scores: pl.DataFrame, points: pl.DataFrame, groups: dict[str, int]
) -> None:
    problems = dict(points.select("trace", "problem").unique().iter_rows())
    for trace, trained_on in scores.select("trace", "trained_on").unique().iter_rows():
        if trace in problems and groups[problems[trace]] == trained_on:
            raise InputError(
                f"trace {trace}: its probe score comes from a probe that was trained "
                f"on its own group {trained_on}; exit_probes and exit_policies must "
                "draw the same groups"
            )
