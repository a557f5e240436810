"""The page's printed tables on mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import (
    NOTHING,
    count,
    percent,
    points,
    probability,
    quoted,
)
from mistakes import names

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

EXAMPLES = 1
"""Examples per kind."""
SHOWN = 120
"""Characters of an example."""


def sheets(data: StudyData) -> list[Sheet]:
    """Numbers by place and kind, planted probabilities, examples."""
    if data.tables["mistakes"].is_empty():
        return []
    found = [summary_sheet(data), planted_sheet(data), example_sheet(data)]
    return [sheet for sheet in found if sheet.rows]


def summary_sheet(data: StudyData) -> Sheet:
    """Shares, accuracy, length and tests by place and kind."""
    cells = [
        (
            row["place"],
            row["kind"],
            count(row["thoughts"]),
            count(row["draws"]),
            percent(row["turned"]),
            data.between(row, percent, "turned")
            if row["turned"] is not None
            else NOTHING,
            percent(row["noticed"]),
            percent(row["restated"]),
            percent(row["restated_base"]),
            percent(row["corrected"]),
            percent(row["accuracy"]),
            percent(row["inflation"], 0),
            _or(row["turned_over_base"], points),
            *(
                probability(row[f"{name}_holm"])
                for name in (
                    "turned_over_base",
                    "turned_over_paraphrase",
                    "turned_over_filler",
                    "restated_over_base",
                    "accuracy_over_base",
                )
            ),
        )
        for row in data.tables["mistakes/summary"].to_dicts()
    ]
    return Sheet(
        "Changed thoughts by place and kind",
        (
            *("place", "kind", "thoughts", "draws", "turns back", "interval"),
            *("noticed", "states it again", "without it", "corrected", "right"),
            *("tokens", "over none", "p", "p, paraphrase", "p, filler"),
            *("p, again", "p, right"),
        ),
        tuple(cells),
        words=(0, 1),
        note="Noticed: the next sentence turns back, or states the right equation, "
        "number or unit. States it again: this comes anywhere after the cut; without "
        "it: the same of the unchanged thought. Corrected: it is stated again or the "
        "answer is right; of operand and unit, which leave the result right, it is "
        "stated again. Tokens: over those of the unchanged thought. Over none: turns "
        "back minus that of the unchanged thought, in points. For own slips, the "
        "thought with the right result stands for the unchanged one. p: no difference "
        "in turns back from the unchanged thought, the paraphrase, the neutral "
        "sentence; no difference in right statements, in right answers; corrected "
        f"(Holm). {data.interval_note}",
    )


def planted_sheet(data: StudyData) -> Sheet:
    """Turns at the next boundary beside the planted probability."""
    cells = [
        (
            row["place"],
            row["kind"],
            count(row["draws"]),
            count(row["unreached"]),
            count(row["unread"]),
            count(row["problems"]),
            percent(row["turned"]),
            percent(row["planted"]),
            _or(row["difference"], points),
            data.between(row, points, "difference")
            if row["difference"] is not None
            else NOTHING,
        )
        for row in data.tables["mistakes/planted"].to_dicts()
    ]
    return Sheet(
        "Turning back at the next boundary, and the planted probability",
        (
            *("place", "kind", "draws", "no boundary", "not read", "problems"),
            *("turns", "planted", "difference", "interval"),
        ),
        tuple(cells),
        words=(0, 1),
        note="All: all places but the final answer. Not read: the sentence at the "
        "boundary is not of the language and counts as no turn. Difference: in points. "
        f"{data.interval_note}",
    )


def _or(value: float | None, write: Callable[[float], str]) -> str:
    """A number in words; a dash for none."""
    return NOTHING if value is None else write(value)


def example_sheet(data: StudyData) -> Sheet:
    """A change of every kind, and the next sentence of its first draw."""
    edits = {
        (row["trace"], row["place"], row["kind"]): row
        for row in data.tables["mistakes/edits"].to_dicts()
    }
    chosen = data.tables["mistakes"].filter(
        pl.col("draw") == 0, pl.col("place") != names.MIDDLE
    )
    order = {kind: k for k, kind in enumerate(names.KINDS)}
    cells = []
    for (kind,), part in sorted(
        chosen.group_by("kind", maintain_order=True), key=lambda one: order[one[0][0]]
    ):
        for row in part.head(EXAMPLES).to_dicts():
            edit = edits[row["trace"], row["place"], str(kind)]
            cells.append(_example(row, edit))
    return Sheet(
        "One change of every kind",
        ("kind", "trace", "place", "old", "new", "next sentence", "answer"),
        tuple(cells),
        words=(0, 1, 2, 3, 4, 5, 6),
    )


def _example(row: dict[str, Any], edit: dict[str, Any]) -> tuple[str, ...]:
    new = edit["new"] + (f" + {edit['appended']}" if edit["appended"] else "")
    return (
        row["kind"],
        row["trace"],
        row["place"],
        quoted(edit["old"]) if edit["old"] else NOTHING,
        quoted(new) if new else NOTHING,
        quoted(row["following"][:SHOWN]),
        row["answer"] or "none",
    )
