"""The report's tables on ablations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablation.targets import NAMED, NONE
from ablation.wording import MEANINGS, in_words
from doubletake.page.sections import Sheet
from doubletake.page.wording import (
    NOTHING,
    count,
    percent,
    points,
    probability,
    real,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def sheets(data: StudyData) -> list[Sheet]:
    """The effects of all ablations, and the decoded texts."""
    effects = data.tables["ablation/effects"].to_dicts()
    rates = data.tables["ablation/rates"].to_dicts()
    found = [_effects_sheet(data, effects)] if effects else []
    return found + ([_rates_sheet(data, rates)] if rates else [])


def _effects_sheet(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            in_words(row),
            percent(row["ablated"]),
            points(row["change"]),
            data.between(row, points, "change"),
            percent(row["random_mean"]),
            _band(row, "random"),
            percent(row["within_mean"]),
            _band(row, "within"),
            count(row["random_draws"]),
            real(row["written_ratio"], 2),
            probability(row["p"]),
            probability(row["p_holm"]),
        )
        for row in rows
    ]
    plain = percent(rows[0]["plain"])
    columns = (
        *("taken away", "turns back", "change", "interval", "random", "95% of them"),
        *("within components", "95% of these", "draws", "writes", "p", "corrected p"),
    )
    return Sheet(
        "Probability of turning back right after an arrival",
        columns,
        tuple(cells),
        note=f"Without an ablation: {plain}. Change: in points, paired. Writes: what "
        "the set writes, over the mean of its random sets. p: one-sided, the share of "
        f"random sets that are as low. {MEANINGS} {data.interval_note}",
    )


def _band(row: dict[str, Any], null: str) -> str:
    if row[f"{null}_draws"] is None:
        return NOTHING
    return f"{percent(row[f'{null}_least'])} to {percent(row[f'{null}_most'])}"


def _rates_sheet(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            row["length"],
            _arm(row),
            count(row["n"]),
            real(row["turns"], 2),
            data.between(row, lambda value: real(value, 2), "turns"),
            real(row["logprob"], 2),
            real(row["logprob_change"], 2),
            real(row["tokens"], 0),
            percent(row["repetition_2"], 0),
            percent(row["repetition_3"], 0),
            count(row["loops"]),
            count(row["unclosed"]),
            count(row["unreadable"]),
            percent(row["accuracy"], 0),
        )
        for row in rows
    ]
    columns = (
        *("decoded", "taken away", "texts", "turns", "interval", "log-prob"),
        *(
            "change",
            "tokens",
            "2-grams",
            "3-grams",
            "loops",
            "no end",
            "no text",
            "right",
        ),
    )
    return Sheet(
        "Decoded texts",
        columns,
        tuple(cells),
        words=(0, 1),
        note="Turns: of continuations the share that turns back, of thoughts "
        "backtracks per 100 tokens. Log-prob: mean over tokens, under the plain model, "
        "nats. 2-grams, 3-grams: share that repeats an earlier one. A continuation "
        f"mostly has no end of the thought. {data.interval_note}",
        folded=True,
    )


def _arm(row: dict[str, Any]) -> str:
    if row["ablation"] == NONE:
        return "nothing"
    return (
        row["ablation"] if row["null"] == NAMED else f"{row['ablation']}, {row['null']}"
    )
