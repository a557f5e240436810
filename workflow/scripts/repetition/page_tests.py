"""What the page may claim: rows of the tables, and which way their intervals point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repetition.tables import ALL, FIRST, FIXED, LOG_ODDS, LOGPROB, WENT_ON

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

# ASSUME: a log-prob that can rise by less than this many nats in the mean is at its
# ceiling; a probability of 0.99 is 0.01 nats below it.
CEILING = 0.01

Row = dict[str, Any]


def step_row(
    data: StudyData,
    outcome: str,
    *,
    measure: str = LOGPROB,
    answer: str = FIXED,
    part: str = FIRST,
    which: str = ALL,
) -> Row | None:
    """A row of `REPETITION_STEPS`; None without a thought of this outcome."""
    found = data.tables["repetition/steps"].filter(
        outcome=outcome, measure=measure, answer=answer, part=part, which=which
    )
    return found.row(0, named=True) if found.height else None


def has_room(row: Row) -> bool:
    """Whether a log-prob could rise; `row` is of the first steps."""
    return row["before"] is not None and -row["before"] >= CEILING


def headline_step(data: StudyData, outcome: str) -> Row | None:
    """The first step that is tested: of the log-prob, at its ceiling of log-odds."""
    row = step_row(data, outcome)
    if row is None or has_room(row):
        return row
    return step_row(data, outcome, measure=LOG_ODDS)


def direction(row: Row, name: str = "more") -> int | None:
    """1 if an interval lies above 0, -1 if below, 0 if not; None without one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return None
    return int(low > 0) - int(high < 0)


def later_direction(data: StudyData, outcome: str, measure: str) -> int | None:
    """The direction of later steps' difference, only if both means show it."""
    signs = [
        direction(row)
        for which in (ALL, WENT_ON)
        if (row := step_row(data, outcome, measure=measure, part="later", which=which))
    ]
    known = [sign for sign in signs if sign is not None]
    if len(known) < 2:
        return None
    return known[0] if known[0] == known[1] else 0
