"""The page's printed tables on wrong samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

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
from wrong_samples.names import VOTE, WRONG

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

EXAMPLES = 2
"""Examples per action."""
SHOWN = 160
"""Characters of an example."""


def sheets(data: StudyData) -> list[Sheet]:
    """Numbers by action, net changes, and examples of mended thoughts."""
    if data.tables["wrong_samples/summary"].is_empty():
        return []
    found = [summary_sheet(data), net_sheet(data), example_sheet(data)]
    return [sheet for sheet in found if sheet.rows]


def summary_sheet(data: StudyData) -> Sheet:
    """Changed answers, cost and tests by start, place and action."""
    cells = [
        (
            f"{row['start']}, {row['place']} arrival",
            row["action"],
            count(row["thoughts"]),
            count(row["draws"]),
            percent(row["changed"]),
            data.between(row, percent, "changed"),
            real(row["tokens"]),
            real(row["turns"], 2),
            count(row["unclosed"]),
            NOTHING if row["over_resample"] is None else points(row["over_resample"]),
            *(
                probability(row[f"{name}_holm"])
                for name in ("over_resample", "over_vote", "over_random")
            ),
        )
        for row in data.tables["wrong_samples/summary"].to_dicts()
    ]
    return Sheet(
        "Mended wrong thoughts and spoiled right ones",
        (
            *("thoughts that end", "action", "thoughts", "draws", "changed"),
            *("interval", "tokens", "turns", "no end", "over resampling"),
            *("p", "p, vote", "p, random"),
        ),
        tuple(cells),
        words=(0, 1),
        note="Changed: a wrong thought is mended, or a right one is spoiled. Tokens "
        "and turns: per draw, after the cut. Over resampling: accuracy minus that of "
        "resampling, in points. p: no difference from resampling, from the vote, from "
        f"random directions, corrected (Holm). {data.interval_note}",
    )


def net_sheet(data: StudyData) -> Sheet:
    """The change if an action were applied to all thoughts."""
    cells = [
        (
            row["action"],
            count(row["wrong"]),
            count(row["right"]),
            points(row["net"]),
            data.between(row, points, "net"),
            *(
                (NOTHING, NOTHING)
                if row["over_resample"] is None
                else (
                    points(row["over_resample"]),
                    data.between(row, points, "over_resample"),
                )
            ),
        )
        for row in data.tables["wrong_samples/net"].to_dicts()
    ]
    return Sheet(
        "Change of accuracy if all thoughts were continued so",
        (
            *("action", "wrong", "right", "change", "interval"),
            *("over resampling", "interval"),
        ),
        tuple(cells),
        note="Points of accuracy, at the study\u2019s own shares of wrong and right "
        f"thoughts. {data.interval_note}",
    )


def example_sheet(data: StudyData) -> Sheet:
    """What mended wrong thoughts write after the cut."""
    table = data.tables["wrong_samples"].filter(
        pl.col("start") == WRONG, pl.col("correct"), pl.col("action") != VOTE
    )
    cells = [
        (
            str(action),
            row["trace"],
            quoted(row["text"][:SHOWN]),
            row["whole_answer"] or "none",
            row["answer"],
        )
        for (action,), part in table.group_by("action", maintain_order=True)
        for row in part.head(EXAMPLES).to_dicts()
    ]
    return Sheet(
        "Wrong thoughts that were mended",
        ("action", "trace", "after the cut", "answer before", "answer now"),
        tuple(cells),
        words=(0, 1, 2, 3, 4),
        note="The first draws of each action that end right.",
        folded=True,
    )
