"""Printed tables on repair: gains, rates, shifts, lost answers, causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, percent, points, probability, real
from repair.tables import (
    AHEAD,
    ARRIVAL,
    BEGUN,
    DIFFERENCE,
    FORM,
    MANY_TURNS,
    POOLED,
    STRAIGHT,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

STARTS = {POOLED: "all", FORM: "the end"}
STEPS = {
    AHEAD: "a turn is ahead",
    BEGUN: "a turn has begun",
    STRAIGHT: "no turn",
    DIFFERENCE: "ahead minus none",
}


def sheets(data: StudyData) -> list[Sheet]:
    """One table per table of the study; none where it is empty."""
    makers = {
        "gains": _gains,
        "rates": _rates,
        "shifts": _shifts,
        "lost": _lost,
        "causes": _causes,
    }
    tables = {name: data.tables[f"repair/{name}"] for name in makers}
    return [
        make(data, tables[name].to_dicts())
        for name, make in makers.items()
        if tables[name].height
    ]


def _gains(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            STARTS.get(row["start"], f"{row['arrival']}"),
            count(row["n"]),
            count(row["problems"]),
            percent(row["accuracy"]),
            percent(row["end_accuracy"]),
            points(row["gain"]),
            data.between(row, points, "gain"),
            count(row["changed"]),
            probability(row["p_holm"] if row["start"] == ARRIVAL else row["p"]),
            real(row["tokens_after"]),
            "\u2013" if row["gain_per_100"] is None else points(row["gain_per_100"]),
        )
        for row in rows
    ]
    return Sheet(
        "What thinking on gains",
        (
            *("arrival", "cases", "problems", "right there", "right at the end"),
            *("gain", "interval", "changed", "p", "tokens after", "per 100 tokens"),
        ),
        tuple(cells),
        note="Gains in percentage points. Changed: problems on which it is not 0. p: "
        "against 0, of the arrivals corrected for their number (Holm); \u2013: not "
        "tested. The end: the answer forced at the end of the same thoughts against "
        f"their own. {data.interval_note}",
    )


def _rates(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    table = pl.DataFrame(rows, infer_schema_length=None)
    cells = []
    for number in table["arrival"].unique().sort():
        own = table.filter(pl.col("arrival").eq_missing(pl.lit(number)))
        parts = {(row["change"], row["until"]): row for row in own.to_dicts()}
        cells.append(
            (
                "all" if number is None else f"{number}",
                *(
                    text
                    for change in ("repair", "damage")
                    for text in _pair(data, parts, change)
                ),
            )
        )
    return Sheet(
        "Repair and damage by arrival",
        (
            *("arrival", "wrong", "repaired at the next", "repaired at the end"),
            *("right", "damaged at the next", "damaged at the end"),
        ),
        tuple(cells),
        note="Wrong and right: answers forced at the arrival. The next: the answer "
        "forced at the next arrival, or at the end of the thought if there is none. "
        f"{data.interval_note}",
    )


def _pair(
    data: StudyData, parts: dict[tuple[str, str], dict[str, Any]], change: str
) -> list[str]:
    """Number of answers that could change, and the shares that do."""
    next_row = parts.get((change, "next"))
    if next_row is None:
        return ["0", "\u2013", "\u2013"]
    end_row = parts[change, "end"]
    return [
        count(next_row["n"]),
        *(_with_ends(data, row, "rate") for row in (next_row, end_row)),
    ]


def _shifts(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            STEPS[row["turn"]],
            count(row["n"]),
            count(row["problems"]),
            real(row["tokens"]),
            (points if row["turn"] == DIFFERENCE else percent)(row["shift"]),
            data.between(
                row, points if row["turn"] == DIFFERENCE else percent, "shift"
            ),
        )
        for row in rows
        if row["shift"] is not None
    ]
    return Sheet(
        "How often the forced answer changes until the next arrival or the end",
        ("step", "steps", "problems", "tokens", "changes", "interval"),
        tuple(cells),
        note="A turn has begun: the arrival is known only after the first sentence of "
        f"the turn, so these steps are compared with no others. {data.interval_note}",
    )


def _lost(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            _turns(row["turns"]),
            count(row["n"]),
            count(row["problems"]),
            *(_with_ends(data, row, name) for name in ("lost", "gained", "kept")),
        )
        for row in rows
    ]
    return Sheet(
        "Right at an arrival, and at the end",
        (
            *("turns", "thoughts", "problems", "right, ends wrong"),
            *("never right, ends right", "right, ends right"),
        ),
        tuple(cells),
        note=f"Turns of the whole thought. {data.interval_note}",
    )


def _turns(turns: int | None) -> str:
    if turns is None:
        return "any"
    return f"{turns}+" if turns == MANY_TURNS else f"{turns}"


def _causes(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            row["cause"].replace("_", " "),
            count(row["n"]),
            count(row["begun"]),
            percent(row["accuracy"]),
            percent(row["next_accuracy"]),
            points(row["change"]),
            data.between(row, points, "change"),
            probability(row["p_holm"]),
            f"{percent(row['repair'])} of {count(row['wrong'])}",
            f"{percent(row['damage'])} of {count(row['n'] - row['wrong'])}",
            _with_ends(data, row, "shift"),
        )
        for row in rows
    ]
    return Sheet(
        "By the planted cause of the turn that follows",
        (
            *("cause", "arrivals", "begun", "right there", "right at the next"),
            *("change", "interval", "p", "repaired", "damaged", "answers that change"),
        ),
        tuple(cells),
        note="None: a turn without a cause. The next: the next arrival, or the end. "
        "Begun: the first sentence of the turn stands before the point. p: against 0, "
        f"corrected for the number of causes (Holm). {data.interval_note}",
    )


def _with_ends(data: StudyData, row: dict[str, Any], name: str) -> str:
    return f"{percent(row[name])} ({data.between(row, percent, name)})"
