"""The page's printed tables on looking back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, percent, points, probability
from look_back.page_verdicts import attention, attention_points, why_empty
from look_back.tables import QUANTITIES

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

KIND_NAMES = {
    "backtrack": "backtracks",
    "control": "controls",
    "matched": "backtracks with a control",
    "difference": "backtrack minus control",
}
COLUMNS = (
    *("positions", "matches", "n", "problems"),
    *("important", "matched", "difference", "interval", "corrected p"),
)
MATCHES_NOTE = (
    "Matches: frequency: like frequency; place: also like place; class: also number or "
    "word, and as many tokens; again: also whether the word occurs again; same words: "
    "those of place, for the words that again has."
)


def sheets(data: StudyData) -> list[Sheet]:
    """Attention and overlap by kind and baseline, and the heads."""
    if why_empty(data) is not None:
        return []
    summary = data.tables["look_back/summary"].filter(pl.col("layer").is_null())
    overlap = data.tables["look_back/overlap"]
    return [
        Sheet(
            "Attention of the next words to one word",
            COLUMNS,
            _rows(data, summary, attention, attention_points),
            words=(0, 1),
            note="Shares of the attention that does not go to the first token; "
            f"differences in percentage points. {MATCHES_NOTE} {data.interval_note}",
            folded=True,
        ),
        Sheet(
            "Words that occur again among the next words",
            COLUMNS,
            _rows(data, overlap, percent, points),
            words=(0, 1),
            note=f"Differences in percentage points. {MATCHES_NOTE} "
            f"{data.interval_note}",
            folded=True,
        ),
    ]


def _rows(
    data: StudyData, table: pl.DataFrame, write: Any, write_difference: Any
) -> tuple[tuple[str, ...], ...]:
    """A row per kind and baseline with a difference."""
    by_key: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in table.to_dicts():
        cell = by_key.setdefault((row["kind"], row["baseline"]), {})
        cell[row["quantity"]] = row
    cells = []
    for (kind, baseline), found in by_key.items():
        important, matched, gap = (found[name] for name in QUANTITIES)
        if gap["mean"] is None:
            continue
        side = write_difference if kind == "difference" else write
        cells.append(
            (
                KIND_NAMES[kind],
                baseline.replace("_", " "),
                count(gap["positions"]),
                count(gap["problems"]),
                side(important["mean"]),
                side(matched["mean"]),
                write_difference(gap["mean"]),
                data.between(gap, write_difference),
                probability(gap["p"]),
            )
        )
    return tuple(cells)
