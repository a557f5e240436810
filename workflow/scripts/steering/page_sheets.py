"""The page's printed tables on steering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, percent, points, probability, quoted, real
from steering.names import DIRECTION, NONE, PUBLISHED, SHORT_OUTCOMES, in_words

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

LONGEST_TEXT = 110
"""Characters of an example."""


def ladder_sheet(data: StudyData) -> Sheet:
    """The chosen direction and its controls by strength."""
    rows = data.tables["steering/ladder"].sort("source", "strength").to_dicts()
    cells = [
        (
            *_named(row),
            count(row["draws"]),
            count(row["cases"]),
            *(
                cell
                for outcome in SHORT_OUTCOMES
                for cell in (
                    percent(row[outcome]),
                    data.between(row, percent, outcome),
                    _range(row, f"{outcome}_lowest", f"{outcome}_highest"),
                    _range(row, f"{outcome}_band_low", f"{outcome}_band_high"),
                )
            ),
            *_text_cells(row),
        )
        for row in rows
    ]
    return Sheet(
        "Short continuations by strength, with controls",
        (
            *("added", "strength", "draws", "texts"),
            *("turn back", "interval", "draws", "band"),
            *("turn word", "interval", "draws", "band", *_TEXT),
        ),
        tuple(cells),
        note="Strength in residual norms, with the sign of the direction. Turn word: "
        "mean probability that the next token is one. Draws: lowest to highest. "
        "Band: of the "
        f"random vectors of this norm. {data.interval_note}",
        folded=True,
    )


def whole_sheet(data: StudyData) -> Sheet:
    """Whole thoughts by strength."""
    cells = [
        (
            real(row["strength"], 3),
            count(row["thoughts"]),
            real(row["backtracks"], 2),
            data.between(row, _two, "backtracks"),
            real(row["tokens"], 0),
            percent(row["accuracy"]),
            "" if row["accuracy_change"] is None else points(row["accuracy_change"]),
            probability(row["accuracy_holm"]),
            count(row["unclosed"]),
            count(row["limited"]),
            *_text_cells(row),
            count(row["loops"]),
            "yes" if row["intact"] else "no",
        )
        for row in data.tables["steering/summary"].to_dicts()
    ]
    return Sheet(
        "Whole thoughts by strength",
        (
            *("strength", "thoughts", "backtracks", "interval", "tokens", "accuracy"),
            *("change", "p", "open", "limit", *_TEXT, "loops", "intact"),
        ),
        tuple(cells),
        words=(len(_TEXT) + 11,),
        note="Strength in residual norms, with the sign of the direction. Backtracks: "
        "per 100 tokens. Change and p: against none, paired; p corrected for the "
        f"number of strengths. {data.interval_note}",
    )


def cells_sheet(data: StudyData) -> Sheet:
    """All cells of the screening."""
    rows = data.tables["steering/cells"].to_dicts()
    cells = [
        (
            _source(row),
            "published" if row["setting"] == PUBLISHED else "",
            "" if row["boundary"] is None else count(row["boundary"]),
            (row["positions"] or "").replace("_", " "),
            real(row["strength"], 2),
            count(row["cases"]),
            percent(row["turned"]),
            *_shift(data, row, "turned_shift"),
            percent(row["probability"]),
            *_shift(data, row, "probability_shift"),
            *_text_cells(row),
            real(row["score"]),
            "yes" if row["chosen"] else "",
        )
        for row in rows
    ]
    return Sheet(
        "Screening: all cells",
        (
            *("added", "setting", "boundary", "positions", "strength", "texts"),
            *("turn back", "shift", "interval", "turn word", "shift", "interval"),
            *(*_TEXT, "score", "chosen"),
        ),
        tuple(cells),
        words=(0, 1, 3, len(_TEXT) + 13),
        note="Turn word: mean probability that the next token is one. Shift: against "
        "none on the same thoughts. Score: slope of this probability on the strength "
        "over that of random vectors. Draws of a "
        "control in the subspace or with shuffled labels take turns over the thoughts. "
        f"{data.interval_note}",
        folded=True,
    )


def examples_sheet(data: StudyData) -> Sheet:
    """One context, continued at every strength."""
    short = data.tables["steering/short"].filter(
        pl.col("source").is_in([DIRECTION, NONE])
    )
    first = short.sort("problem", "strength").head(1)["trace"]
    rows = short.filter(pl.col("trace").is_in(first.to_list())).sort("strength")
    cells = [
        (
            real(row["strength"], 3),
            "yes" if row["turned"] else "no",
            quoted(row["text"][:LONGEST_TEXT]),
        )
        for row in rows.to_dicts()
    ]
    return Sheet(
        "One thought, continued at every strength",
        ("strength", "turns back", "text"),
        tuple(cells),
        words=(1, 2),
        note="The first thought by the name of its problem.",
        folded=True,
    )


_TEXT = ("coherence", "of none", "wait words", "2-grams", "3-grams", "zlib")


def _text_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """How whole the texts of a row are."""
    return (
        real(row["coherence"], 3),
        percent(row["kept"], 0),
        percent(row["wait_share"]),
        percent(row["repeated_2"]),
        percent(row["repeated_3"]),
        real(row["compression"], 2),
    )


def _shift(data: StudyData, row: dict[str, Any], name: str) -> tuple[str, str]:
    """A change against none with its interval; none itself has no change."""
    if row[name] is None:
        return "", ""
    return points(row[name]), data.between(row, points, name)


def _named(row: dict[str, Any]) -> tuple[str, str]:
    return _source(row), real(row["strength"], 3)


def _source(row: dict[str, Any]) -> str:
    """What was added, in words."""
    name = row["direction"]
    if row["source"] == DIRECTION:
        return in_words(name)
    return row["source"] if name is None else f"{row['source']} {in_words(name)}"


def _range(row: dict[str, Any], low: str, high: str) -> str:
    if row[low] is None:
        return ""
    return f"{percent(row[low])} to {percent(row[high])}"


def _two(value: float) -> str:
    return real(value, 2)
