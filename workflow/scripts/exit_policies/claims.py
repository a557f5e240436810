"""What can be claimed of each rule, by the corrected tests of `POLICIES`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import percent, points
from exit_policies.tables import IN_HINDSIGHT, is_harmless, shown_policies

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

Row = dict[str, Any]
"""A row of `POLICIES`."""

BETTER, WORSE, OPEN = 1, -1, 0


def policies_of(data: StudyData) -> pl.DataFrame:
    """The policies that were replayed."""
    return data.tables["exit_policies/policies"].drop_nulls("thoughts")


def rules_of(data: StudyData) -> list[Row]:
    """The rules that stop a thought, in the order of the table."""
    rows = shown_policies(policies_of(data)).filter(pl.col("family") != IN_HINDSIGHT)
    return list(rows.iter_rows(named=True))


def tolerance_of(data: StudyData) -> float:
    """Largest loss of accuracy that counts as harmless, as a share."""
    return float(data.settings["exit_policies"]["tolerance"])


def harmless(data: StudyData, row: Row) -> bool:
    """Whether a rule is shown to lose at most the tolerance."""
    return is_harmless(row, tolerance_of(data), data.confidence)


def direction(data: StudyData, row: Row, name: str) -> int:
    """Whether a difference is shown to be above 0, below it, or neither.

    Both must show it: the corrected test and the interval.

    Args:
        data: of the study.
        row: of a rule.
        name: the difference, `change` or `over_share`.
    """
    p, low, high = (row[f"{name}_{end}"] for end in ("holm", "low", "high"))
    if p is None or low is None or p > 1 - data.confidence:
        return OPEN
    return BETTER if low > 0 else WORSE if high < 0 else OPEN


def best_rule(data: StudyData) -> Row | None:
    """The harmless rule that saves most; None if none is shown to save tokens."""
    rows = [
        row
        for row in rules_of(data)
        if harmless(data, row)
        and row["total_rate_high"] is not None
        and row["total_rate_high"] < 1
    ]
    return min(rows, key=lambda row: row["total_rate"], default=None)


def is_tested(data: StudyData) -> bool:
    """Whether there are enough problems for tests."""
    problems = policies_of(data)["problems"].max()
    return isinstance(problems, int) and data.is_enough(problems)


def verdict(data: StudyData, row: Row) -> str:
    """What a change of accuracy shows, in words."""
    allowed = f"{100 * tolerance_of(data):g} points"
    if direction(data, row, "change") == BETTER:
        return "a gain"
    if harmless(data, row):
        return f"shown to lose at most {allowed}"
    if direction(data, row, "change") == WORSE:
        return "a loss"
    return f"not shown to be a loss, and not shown to be at most {allowed}"


def with_interval(data: StudyData, row: Row, name: str) -> str:
    """A difference in points, with its interval or why there is none."""
    between = data.between(row, points, name)
    if row[f"{name}_low"] is not None:
        between = f"{data.confidence:.0%} interval {between}"
    return f"{points(row[name])} points ({between})"


def rate(data: StudyData, row: Row) -> str:
    """Kept and trial tokens over those of the whole thoughts, with the interval."""
    between = data.between(row, percent, "total_rate")
    return f"{percent(row['total_rate'])} ({between})"
