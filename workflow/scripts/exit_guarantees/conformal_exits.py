"""The conformal exit of LYNX: quantiles of one group of problems, errors of another.

An error is a problem that is stopped at a wrong point, of those with a wrong point at
which the rule looks. One thought of each problem is drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doubletake.exit_rules.conformal import ConformalExit, conformal_exit
from doubletake.exit_rules.costs import share
from doubletake.exit_rules.probes import Lynx, probe_score
from doubletake.exit_rules.replay import replay
from doubletake.exit_rules.splits import GROUPS
from doubletake.exit_rules.thoughts import Thought
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.outcomes import Outcome
from exit_guarantees.rotations import Rotation
from exit_guarantees.tables import POINT, PROBLEM


@dataclass(frozen=True)
class Looks:
    """The points at which the rule looks; every array is [look]."""

    p: np.ndarray
    """The probe's probability that the trial answer is right."""
    right: np.ndarray
    problem: np.ndarray

    @classmethod
    def of(cls, rule: Lynx, thoughts: Sequence[Thought]) -> "Looks":
        """All looks at these thoughts, as if the rule never stopped."""
        rows = [
            (probe_score(rule.name, point), bool(thought.right[1 + k]), thought.problem)
            for thought in thoughts
            for k, point in enumerate(thought.points)
            if rule.looks_at(point)
        ]
        p, right, problem = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(
            np.array(p, dtype=float),
            np.array(right, dtype=bool),
            np.array(problem, dtype=object),
        )


@dataclass(frozen=True)
class Trial:
    """A calibration, and what it does to the problems of a group."""

    group: int
    calibrated: ConformalExit
    outcome: Outcome
    has_wrong: np.ndarray
    """[problem], whether the rule looks at a wrong point of the thought."""

    @classmethod
    def of(cls, rule: Lynx, rotation: Rotation, delta: float, case: str) -> "Trial":
        """Calibrate, and replay.

        Args:
            rule: LYNX without a calibration.
            rotation: one thought of each problem.
            delta: allowed error of each class.
            case: `PROBLEM` or `POINT`.
        """
        looks = Looks.of(rule, rotation.calibration)
        owners = looks.problem.astype(str) if case == PROBLEM else None
        found = conformal_exit(looks.p, looks.right, delta, owners)
        stops = replay(found.rule(rule), rotation.reported)
        new = Looks.of(rule, rotation.reported)
        wrong = set(new.problem[~new.right])
        has_wrong = np.array([one.problem in wrong for one in rotation.reported], bool)
        return cls(rotation.group, found, Outcome.of(stops), has_wrong)

    @property
    def errors(self) -> np.ndarray:
        """[problem], whether it is stopped at a wrong point."""
        return self.outcome.stopped & ~self.outcome.right

    @property
    def p_above(self) -> float:
        """P-value of so many errors if the bound holds (`above_p_value`)."""
        errors, cases = int(self.errors.sum()), int(self.has_wrong.sum())
        return above_p_value(
            errors, cases, self.calibrated.wrong, self.calibrated.delta
        )


def conformal_rows(
    rule: Lynx,
    rotations: Sequence[Rotation],
    deltas: Sequence[float],
    intervals: IntervalSettings,
) -> list[dict[str, Any]]:
    """Rows of `CONFORMAL`: per delta and kind of case, each group, then all groups.

    Args:
        rule: LYNX without a calibration.
        rotations: one thought of each problem.
        deltas: allowed errors.
        intervals: coverage, and fewest problems with an interval.
    """
    trials = {
        (delta, case): [Trial.of(rule, one, delta, case) for one in rotations]
        for delta in deltas
        for case in (PROBLEM, POINT)
    }
    tests = sum(
        case == PROBLEM and any(trial.calibrated.can_stop for trial in groups)
        for (_, case), groups in trials.items()
    )
    rows: list[dict[str, Any]] = []
    for (delta, case), groups in trials.items():
        asked = {"delta": delta, "case": case}
        for trial in groups:
            found = trial.calibrated
            quantiles = (found.q_right, found.q_wrong)
            q_right, q_wrong = (q if math.isfinite(q) else None for q in quantiles)
            rows.append(
                asked
                | {
                    "group": trial.group,
                    "why_not": None if found.can_stop else found.sentence,
                    "right_cases": found.right,
                    "wrong_cases": found.wrong,
                    "q_right": q_right,
                    "q_wrong": q_wrong,
                    **_realised([trial], intervals),
                }
            )
        row = asked | {"group": None} | _realised(groups, intervals)
        given = [trial.p_above for trial in groups if trial.calibrated.can_stop]
        if case == PROBLEM and given:
            p = min(1.0, GROUPS * min(given))
            row |= {"p_above": p, "p_above_corrected": min(1.0, tests * p)}
        rows.append(row)
    return rows


def _realised(trials: Sequence[Trial], intervals: IntervalSettings) -> dict[str, Any]:
    """Errors of groups with a finite quantile, tokens of all."""
    everyone = Outcome.joined([trial.outcome for trial in trials])
    given = [trial for trial in trials if trial.calibrated.can_stop]
    errors = [trial.errors[trial.has_wrong] for trial in given]
    wrong = np.concatenate([*errors, np.zeros(0, dtype=bool)])
    row = {
        "certified": len(given),
        "problems": everyone.problems,
        "with_wrong": len(wrong),
        "stopped_wrong": int(wrong.sum()),
        **everyone.total_rate(intervals).columns("total_rate"),
        **everyone.change(intervals).columns("change"),
    }
    if len(wrong):
        row |= share(wrong, np.arange(len(wrong)), intervals).columns("error")
    return row


def above_p_value(errors: int, cases: int, calibration: int, delta: float) -> float:
    """P(X >= errors), X ~ BetaBinomial(cases, n + 1 - k, k), with n calibration cases.

    With k = ceil((n + 1)(1 - delta)), the share of all cases above the k-th smallest of
    n is distributed as Beta(n + 1 - k, k), if scores have no ties (Vovk 2012). Given
    this share, the errors among new cases are binomial. The rule stops at some of these
    cases only, so it errs at most as often. Small values show that the bound fails.
    """
    from scipy.stats import betabinom  # here, because its import is slow

    rank = math.ceil((calibration + 1) * (1 - delta) - 1e-9)
    if not cases or rank > calibration:
        return 1.0
    above = betabinom(cases, calibration + 1 - rank, rank)
    return float(above.sf(errors - 1))
