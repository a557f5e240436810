"""What the tests say of two contexts, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import percent, plural, points, probability
from faithfulness.names import ALL, FILLER, SAME

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

Row = dict[str, Any]
MORE, LESS, ALIKE, UNTESTED = "more", "less", "alike", "untested"


def compared(
    data: StudyData, first: str, second: str, measure: str = SAME
) -> Row | None:
    """A row of `TESTS`; None if no thought has both contexts."""
    rows = data.tables["faithfulness/tests"].filter(
        measure=measure, first=first, second=second
    )
    return rows.row(0, named=True) if rows.height else None


def verdict_of(data: StudyData, row: Row | None) -> str:
    """What the corrected p-value of a comparison says."""
    if row is None or row["p_holm"] is None:
        return UNTESTED
    if row["p_holm"] > 1 - data.confidence:
        return ALIKE
    return MORE if row["difference"] > 0 else LESS


def numbers(data: StudyData, row: Row) -> str:
    """Difference, interval, p-value and cases of a comparison, for parentheses."""
    p = "" if row["p_holm"] is None else f", corrected p {probability(row['p_holm'])}"
    return (
        f"{points(row['difference'])} points, interval "
        f"{data.between(row, points, 'difference')}{p}; "
        f"{plural(row['thoughts'], 'thought')} on {plural(row['problems'], 'problem')}"
    )


def context_row(data: StudyData, context: str, group: str = ALL) -> Row | None:
    """A row of `CONTEXT_MEANS`: filler of the largest share; None without one."""
    rows = data.tables["faithfulness/contexts"].filter(group=group, context=context)
    return rows.sort("share").row(-1, named=True) if rows.height else None


def filler_name(data: StudyData) -> str:
    """How much filler the longest one is: "filler of equal length"."""
    row = context_row(data, FILLER)
    share = 1.0 if row is None else row["share"]
    if abs(share - 1) < 0.02:
        return "filler of equal length"
    return f"filler of {percent(share, 0)} of its tokens"


def area_row(data: StudyData, group: str, part: str) -> Row | None:
    """A row of `AREAS`; None without a thought."""
    rows = data.tables["faithfulness/areas"].filter(
        pl.col("group") == group, pl.col("part") == part
    )
    return rows.row(0, named=True) if rows.height else None
