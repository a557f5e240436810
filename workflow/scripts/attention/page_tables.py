"""The report's tables on attention: the heads that lead each ranking."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from doubletake.page.reader import whose
from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, percent, plural, real

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

SHOWN_HEADS = 6
ARRIVAL = "arrival_sentence"
Write = Callable[[float], str]
"""How a number is written."""


def why_empty(data: StudyData) -> str | None:
    """Why the section on attention is empty; None where it is not."""
    if not data.tables["attention/heads"].filter(kind="backtrack").is_empty():
        return None
    backtracks = data.tables["turns"].filter(kind="backtrack")
    if backtracks.is_empty():
        return f"No backtrack was found in the thoughts {whose(data)}."
    return (
        f"None of {plural(backtracks.height, 'backtrack')} was "
        "selected: the section `turns` of the config filters out all of them."
    )


def heads_of(data: StudyData, measure: str, kind: str) -> pl.DataFrame:
    """Rows of `attention.tables.ATTENTION_HEADS` of one measure and kind."""
    return data.tables["attention/heads"].filter(measure=measure, kind=kind)


def head_row(
    data: StudyData, head: dict[str, Any], measure: str, kind: str
) -> dict[str, Any] | None:
    """A measure of a head, or None.

    Args:
        data: the study.
        head: has the head's `layer` and `head`.
        measure: which measure.
        kind: at which kind of positions.
    """
    rows = heads_of(data, measure, kind)
    rows = rows.filter(layer=head["layer"], head=head["head"])
    return rows.row(0, named=True) if rows.height else None


def sheets(data: StudyData) -> list[Sheet]:
    """The leading heads of each ranking."""
    if why_empty(data) is not None:
        return []
    rankings = [
        _ranking(
            data,
            ARRIVAL,
            "Heads that look at the last arrival",
            percent,
            "Share of attention to the sentence of the last arrival. Times even: this "
            "share divided by the sentence\u2019s share of the tokens that the head "
            "sees, at backtracks.",
            {"times even": ("arrival_ratio", _one)},
        ),
        _ranking(
            data,
            "dla_backtrack",
            "Heads that write the turn",
            _three,
            "Direct logit attribution to the backtrack words, above the mean of the "
            "vocabulary. The words are weighted by their probabilities at the "
            "position. The last three columns are at backtracks too. Raw: the mean of "
            "the vocabulary is not subtracted.",
            {
                "raw": ("dla_backtrack_raw", _three),
                "wrap-up words": ("dla_wrap_up", _three),
                "backtrack \u2212 wrap-up": ("dla_difference", _three),
            },
        ),
    ]
    return [sheet for sheet in rankings if sheet.rows]


def _ranking(
    data: StudyData,
    measure: str,
    title: str,
    write: Write,
    note: str,
    more: dict[str, tuple[str, Write]],
) -> Sheet:
    """The leading heads by one measure at backtracks, with further measures.

    Args:
        data: the study.
        measure: the measure of the ranking.
        title: of the sheet.
        write: how the measure is written.
        note: what the measure means.
        more: further measures and how they are written, by column.
    """
    ranking = heads_of(data, measure, "backtrack").sort("rank")
    rows = []
    for row in ranking.head(SHOWN_HEADS).iter_rows(named=True):
        control = head_row(data, row, measure, "control")
        difference = head_row(data, row, measure, "difference")
        cells = [f"layer {row['layer']}, head {row['head']}"]
        cells += [_with_ends(data, part, write) for part in (row, control, difference)]
        for name, form in more.values():
            other = head_row(data, row, name, "backtrack")
            cells.append(NOTHING if other is None else form(other["mean"]))
        rows.append(tuple(cells))
    columns = ("head", "at backtracks", "at controls", "difference", *more)
    shown = min(SHOWN_HEADS, ranking.height)
    return Sheet(
        title,
        columns,
        tuple(rows),
        note=f"{note} Shown are the first {shown} of {plural(ranking.height, 'head')} "
        f"by their mean at backtracks, with their intervals in brackets. The "
        f"difference is the mean over the matched pairs. {data.interval_note}",
    )


def _with_ends(data: StudyData, row: dict[str, Any] | None, write: Write) -> str:
    """A mean with its interval."""
    if row is None:
        return NOTHING
    return f"{write(row['mean'])} ({data.between(row, write)})"


def _one(value: float) -> str:
    return real(value, 1)


def _three(value: float) -> str:
    return real(value, 3)
