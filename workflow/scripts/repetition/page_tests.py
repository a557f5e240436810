"""What the page may claim: rows of the tables, and what their tests say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repetition.tables import ALL, FIRST, LOG_ODDS, LOGPROB, TESTED

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
    part: str = FIRST,
    which: str = ALL,
) -> Row | None:
    """A row of `REPETITION_STEPS`, of the tested answer; None without a thought."""
    found = data.tables["repetition/steps"].filter(
        outcome=outcome,
        measure=measure,
        answer=TESTED[outcome],
        part=part,
        which=which,
    )
    return found.row(0, named=True) if found.height else None


def both_scales(data: StudyData, outcome: str, part: str = FIRST) -> list[Row]:
    """The steps of the log-prob and of the log-odds; empty without a thought."""
    rows = [
        step_row(data, outcome, measure=measure, part=part)
        for measure in (LOGPROB, LOG_ODDS)
    ]
    return [row for row in rows if row is not None]


def has_room(row: Row) -> bool:
    """Whether a log-prob could rise; `row` is of the first steps."""
    return row["before"] is not None and -row["before"] >= CEILING


def claim_row(data: StudyData, outcome: str, claim: str) -> Row | None:
    """A row of `REPETITION_TESTS` that was tested; None without one."""
    found = data.tables["repetition/tests"].filter(outcome=outcome, claim=claim)
    row = found.row(0, named=True) if found.height else None
    return None if row is None or row["p_holm"] is None else row


def direction(data: StudyData, outcome: str, claim: str) -> int | None:
    """1 for a shown rise, -1 for a shown fall, 0 for neither; None if not tested."""
    row = claim_row(data, outcome, claim)
    if row is None:
        return None
    is_shown = row["p_holm"] <= 1 - data.confidence
    return int(row["direction"]) if is_shown else 0


def only_scale(rows: list[Row], name: str) -> str | None:
    """The one scale whose interval excludes 0; None if both do, or neither."""
    shown = [
        row["measure"]
        for row in rows
        if row[f"{name}_low"] is not None
        and (row[f"{name}_low"] > 0 or row[f"{name}_high"] < 0)
    ]
    return shown[0] if len(shown) == 1 else None
