"""What the tests of looking back show, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import plural, probability, significant
from look_back.tables import BACKTRACK, LOOK_BACK_SUMMARY
from matches.tables import DIFFERENCE

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MORE_OR_LESS = (
    "give more attention to",
    "give less attention to",
    "do not give shown more or less attention to",
)
NO_ROW = {
    **dict.fromkeys(LOOK_BACK_SUMMARY.schema),
    "positions": 0,
    "problems": 0,
}
"""Stands in for a row that a summary does not have."""


def why_empty(data: StudyData) -> str | None:
    """Why there is no result; None where there is one."""
    looks = data.tables["look_back"].filter(kind=BACKTRACK)
    if looks.is_empty():
        return "Not measured: no backtrack was selected, so no words are ranked."
    if not looks["next_tokens"].sum():
        return "Not measured: no word follows a backtrack within its thought."
    if not looks["important"].count():
        return (
            "Not measured: no important word before a backtrack has a word that "
            "matches it in place and frequency."
        )
    return None


def summary_row(
    data: StudyData, kind: str, baseline: str, quantity: str
) -> dict[str, Any]:
    """The row of all layers; without positions if there is none."""
    rows = data.tables["look_back/summary"].filter(
        pl.col("layer").is_null(), kind=kind, baseline=baseline, quantity=quantity
    )
    return rows.row(0, named=True) if rows.height else NO_ROW


def direction(
    data: StudyData, row: dict[str, Any], words: tuple[str, str, str]
) -> str | None:
    """What the test of a difference shows; None without a test.

    Args:
        data: the study.
        row: a `difference` of a summary.
        words: for a difference above 0, below 0, and one that is not shown.
    """
    if row["p"] is None:
        return None
    if row["p"] > 1 - data.confidence:
        return words[2]
    return words[0] if row["mean"] > 0 else words[1]


def compared(
    data: StudyData,
    row: dict[str, Any],
    write: Callable[[float], str],
) -> str:
    """A difference with its interval, its test and its cases.

    Args:
        data: the study.
        row: a `difference` of a summary.
        write: how a number is written.
    """
    noun = "pair" if row["kind"] == DIFFERENCE else "backtrack"
    cases = f"{plural(row['positions'], noun)} of {plural(row['problems'], 'problem')}"
    verdict = direction(
        data, row, ("a difference above 0", "a difference below 0", "not told from 0")
    )
    if verdict is None:
        return f"{write(row['mean'])} points ({data.between(row, write)}, {cases})"
    return (
        f"{write(row['mean'])} points, {verdict} ({data.between(row, write)}; p "
        f"{probability(row['p'])}, corrected; {cases})"
    )


def attention(share: float | None) -> str:
    """A share of attention in percent, three digits."""
    return "\u2013" if share is None else f"{significant(100 * share)}%"


def attention_points(difference: float) -> str:
    """A difference of shares in percentage points, three digits, with its sign."""
    text = significant(100 * difference)
    return text if difference <= 0 else f"+{text}"
