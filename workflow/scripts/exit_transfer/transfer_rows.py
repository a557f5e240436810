"""Rows of the table: one rule in every study, with the choice of every study."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doubletake.exit_rules.costs import accuracy_difference, ratio, share
from doubletake.exit_rules.replay import Looks
from doubletake.exit_rules.rule import Rule
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, Mean, number
from exit_transfer.sign_test import sign_test_p
from exit_transfer.tables import TRANSFER
from exit_transfer.transferred import Outcome, Study, choices_for, outcome


@dataclass(frozen=True)
class Replayable:
    """A rule in the form that a study's answer prompt gives it."""

    rule: Rule
    study: Study
    why_not: str | None
    """Why it cannot be replayed there; None if it can."""


def rows_of(
    name: str, places: Sequence[Replayable], intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Rows of `TRANSFER` on one rule, with p not yet corrected.

    Args:
        name: of the rule's family.
        places: the rule in every study.
        intervals: coverage, and fewest problems with an interval or a test.
    """
    rows = []
    for user in places:
        looks = None
        if user.why_not is None:
            looks = Looks.of(user.rule, user.study.thoughts)
        own = used(user, user, looks)[0]
        for chooser in places:
            found, problems, reason = used(chooser, user, looks)
            row: dict[str, Any] = {
                "rule": name,
                "chosen_on": chooser.study.name,
                "used_on": user.study.name,
                "why_not": reason,
            }
            if found is not None:
                row |= summary(found, user.study, intervals)
                row["calibration_problems"] = problems
                if own is not None:
                    row |= against_own(found, own, user.study, intervals)
            rows.append(row)
    return rows


def used(
    chooser: Replayable, user: Replayable, looks: Looks | None
) -> tuple[Outcome | None, int | None, str | None]:
    """What a study gives with the choice of another one.

    Returns:
        The outcome, and the fewest problems that chose a threshold; or why there is
        none.
    """
    reason = user.why_not or chooser.why_not
    if looks is None or reason is not None:
        return None, None, reason
    choices = choices_for(chooser.rule, chooser.study, user.study)
    if choices is None:
        return None, None, f"{chooser.study.name}: a group has no problem that chooses"
    thresholds = [choice.threshold for choice in choices]
    problems = min(choice.problems for choice in choices)
    return outcome(looks, user.study, thresholds), problems, None


def summary(
    found: Outcome, study: Study, intervals: IntervalSettings
) -> dict[str, Any]:
    """Cost and accuracy, against the full thoughts."""
    full = np.array([thought.tokens for thought in study.thoughts])
    at_end = np.array([thought.right[0] for thought in study.thoughts])
    problems = study.problems
    return {
        "thresholds": list(found.thresholds),
        "thoughts": len(full),
        "problems": len(set(problems)),
        "stopped": int(found.stopped.sum()),
        **ends("total_rate", ratio(found.spent, full, problems, intervals)),
        **ends("accuracy", share(found.right, problems, intervals)),
        **ends("change", accuracy_difference(found.right, at_end, problems, intervals)),
    }


def against_own(
    found: Outcome, own: Outcome, study: Study, intervals: IntervalSettings
) -> dict[str, Any]:
    """Differences from the study's own choice, with a test of the accuracy."""
    full = np.array([thought.tokens for thought in study.thoughts])
    gain = found.right.astype(float) - own.right
    problems, changed = study.problems, int((gain != 0).sum())
    enough = len(set(problems)) >= intervals.least_problems
    over = accuracy_difference(found.right, own.right, problems, intervals)
    return {
        "changed": changed,
        **ends("over_own", over),
        **ends(
            "tokens_over_own", ratio(found.spent - own.spent, full, problems, intervals)
        ),
        "p": sign_test_p(gain, problems) if enough else None,
    }


def ends(name: str, mean: Mean) -> dict[str, float | None]:
    """A mean and its ends, as columns."""
    return {
        name: number(mean.value),
        f"{name}_low": mean.low,
        f"{name}_high": mean.high,
    }


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `p_holm`, over all rows that have a p."""
    tested = [row for row in rows if row.get("p") is not None]
    values = holm(np.array([row["p"] for row in tested], dtype=float))
    for row, value in zip(tested, values, strict=True):
        row["p_holm"] = float(value)
    return [dict.fromkeys(TRANSFER.schema) | row for row in rows]
