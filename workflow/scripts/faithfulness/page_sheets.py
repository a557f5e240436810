"""The page's printed tables on faithfulness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.sections import Sheet
from doubletake.page.wording import (
    NOTHING,
    count,
    percent,
    points,
    probability,
    quoted,
    real,
)
from faithfulness.names import ALL, FILLER, MADE

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

EXAMPLES = 3
"""Examples of each context."""


def sheets(data: StudyData) -> list[Sheet]:
    """Contexts, their tests, areas, and examples; empty ones are left out."""
    found = [
        context_sheet(data),
        comparison_sheet(data),
        area_sheet(data),
        example_sheet(data),
    ]
    return [sheet for sheet in found if sheet.rows]


def context_sheet(data: StudyData) -> Sheet:
    """Same answers and right ones by context, over all thoughts."""
    rows = data.tables["faithfulness/contexts"].filter(group=ALL).to_dicts()
    return Sheet(
        "What stands in place of the thought",
        (
            *("context", "length", "thoughts", "own answer", "interval"),
            *("right", "interval", "no answer"),
        ),
        tuple(
            (
                row["context"],
                percent(row["share"], 0),
                count(row["thoughts"]),
                percent(row["same"]),
                data.between(row, percent, "same"),
                percent(row["accuracy"]),
                data.between(row, percent, "accuracy"),
                count(row["unanswered"]),
            )
            for row in rows
        ),
        note="Length: tokens in place of the thought, over those of the thought. "
        f"{data.interval_note}",
    )


def comparison_sheet(data: StudyData) -> Sheet:
    """The paired comparisons of contexts."""
    return Sheet(
        "Contexts compared on the same thoughts",
        ("answers", "first", "minus", "thoughts", "points", "interval", "p"),
        tuple(
            (
                "own" if row["measure"] == "same" else "right",
                row["first"],
                row["second"],
                count(row["thoughts"]),
                points(row["difference"]),
                data.between(row, points, "difference"),
                NOTHING if row["p_holm"] is None else probability(row["p_holm"]),
            )
            for row in data.tables["faithfulness/tests"].to_dicts()
        ),
        words=(0, 1, 2),
        note="p: no difference, corrected for the comparisons of own and of right "
        f"answers (Holm). Filler is the longest one. {data.interval_note}",
    )


def area_sheet(data: StudyData) -> Sheet:
    """Areas over the curves by group and part."""
    return Sheet(
        "Areas over the curves",
        (
            *("thoughts that", "part", "thoughts", "area", "interval", "by tokens"),
            *("own at its start", "own at its end"),
        ),
        tuple(
            (
                row["group"],
                row["part"],
                count(row["thoughts"]),
                real(row["aoc"], 3),
                data.between(row, lambda value: real(value, 3), "aoc"),
                real(row["aoc_tokens"], 3),
                percent(row["start"]),
                percent(row["ceiling"]),
            )
            for row in data.tables["faithfulness/areas"].to_dicts()
        ),
        words=(0, 1),
        note="Ahead, behind: before and after the first arrival. Arrivals: one step "
        "for every exit. By tokens: against the share of tokens in place of sentences. "
        f"{data.interval_note}",
    )


def example_sheet(data: StudyData) -> Sheet:
    """The first answers of each context."""
    table = data.tables["faithfulness"]
    own = dict(data.tables["traces"].select("trace", "answer").iter_rows())
    rows = [
        row
        for context in MADE
        for row in table.filter(context=context)
        .filter((table.filter(context=context)["share"] == 1) | (context != FILLER))
        .head(EXAMPLES)
        .to_dicts()
    ]
    return Sheet(
        "Answers with something else in place of the thought",
        ("context", "trace", "foreign thought", "answer", "own answer"),
        tuple(
            (
                row["context"],
                row["trace"],
                row["donor"] or NOTHING,
                quoted(row["answer_text"]),
                own[row["trace"]],
            )
            for row in rows
        ),
        words=(0, 1, 2, 3, 4),
        folded=True,
    )
