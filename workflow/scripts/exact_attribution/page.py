"""The page's section on exact attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import NOTHING, count, percent, plural, real
from exact_attribution.claims import FIRST
from exact_attribution.page_sentences import (
    RANKED_BY,
    budget_sentence,
    causes_sentence,
    layers_sentence,
    measured,
    recall_sentence,
    row_of,
    screen_sentence,
    size_sentence,
    steps_sentence,
    unit,
    verdict,
)
from exact_attribution.tables import ESTIMATE, EXACT, GRADIENT, RANKINGS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

STRONGEST = 10
"""Words of the printed table."""


def why_empty(data: StudyData) -> str | None:
    """Why nothing was measured; None where something was."""
    if not measured(data).is_empty():
        return None
    if data.tables["turns"].filter(kind="backtrack").is_empty():
        return "Not measured: no backtrack was found."
    return "Not measured: the config (section turns) selects no backtrack."


def headline(data: StudyData) -> str:
    """Whether the estimate finds the strongest words, and the planted cause."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    n = plural(measured(data).height, "backtrack")
    row = row_of(data, "recall", ranking=ESTIMATE, k=FIRST)
    if row is None or row["recall"] is None:
        return f"At {n}, the contexts have too few words to compare rankings."
    text = (
        f"At {n}, the estimate finds {percent(row['recall'], 0)} of the {FIRST} words "
        "that exact patching puts first"
    )
    told = verdict(data, row)
    if row["recall_low"] is None:
        return f"{text} (chance {percent(row['chance'], 0)}; {told})."
    text += f" (chance {percent(row['chance'], 0)}), {told}"
    exact, estimate = (
        row_of(data, "causes", cause="all", ranking=name, k=FIRST)
        for name in (EXACT, ESTIMATE)
    )
    if exact is None or estimate is None or exact["low"] is None:
        return f"{text}."
    return (
        f"{text}; a planted cause is among the first {FIRST} words at "
        f"{percent(exact['share'], 0)} of {plural(exact['events'], 'backtrack')} by "
        f"exact patching and at {percent(estimate['share'], 0)} by the estimate "
        f"(chance {percent(exact['chance'], 0)})."
    )


def findings(data: StudyData) -> list[str]:
    """Budget, sizes, linear range, layers, recall, planted causes."""
    if why_empty(data) is not None:
        return []
    sentences = [
        budget_sentence(data),
        size_sentence(data),
        steps_sentence(data),
        layers_sentence(data),
        recall_sentence(data),
        screen_sentence(data),
        causes_sentence(data),
    ]
    return [sentence for sentence in sentences if sentence]


def sheets(data: StudyData) -> list[Sheet]:
    """Planted causes by ranking, and the strongest words of all."""
    if why_empty(data) is not None:
        return []
    tables = [_causes_sheet(data), _words_sheet(data)]
    return [sheet for sheet in tables if sheet is not None]


def _causes_sheet(data: StudyData) -> Sheet | None:
    rows = data.tables["exact_attribution/causes"].filter(k=FIRST)
    if rows.is_empty():
        return None
    cells = tuple(
        (
            row["cause"].replace("_", " "),
            RANKED_BY[row["ranking"]],
            count(row["events"]),
            count(row["hits"]),
            count(row["unnamed"]),
            percent(row["share"], 0),
            data.between(row, lambda value: percent(value, 0)),
            percent(row["chance"], 0),
            percent(row["context_chance"], 0),
        )
        for row in rows.to_dicts()
    )
    return Sheet(
        f"Planted causes among the first {FIRST} words",
        (
            *("cause", "ranked", "backtracks", "hits", "not ranked", "share"),
            *("interval", "chance", "chance, all words"),
        ),
        cells,
        words=(0, 1),
        note="Chance: one of the cause\u2019s words among the first ones if the "
        "ranked words, or all words of the context with stop words, were in random "
        "order. Not ranked: the ranking has no word of the cause, a miss. "
        f"{data.interval_note}",
    )


def _words_sheet(data: StudyData) -> Sheet | None:
    """The strongest word of each backtrack, those of largest size."""
    words = data.tables["exact_attribution/words"].filter(exact_rank=1)
    words = words.sort(pl.col("exact").abs(), descending=True).head(STRONGEST)
    cells = tuple(_word_cells(row) for row in words.to_dicts())
    if not cells:
        return None
    return Sheet(
        "The strongest words by exact patching",
        ("thought", "word", "exact", "layer", "estimate there", "rank by the estimate"),
        cells,
        words=(0, 1),
        note=f"The first word of {plural(len(cells), 'backtrack')}. Changes of the "
        f"metric in {unit(data)}; negative: the word supports turning back.",
        folded=True,
    )


def _word_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["trace"],
        row["word"],
        real(row["exact"], 2),
        count(row["layer"]),
        real(row["same_cell"], 2),
        count(row["estimate_rank"]),
    )


def steps_cases(data: StudyData) -> str:
    """Numbers of words behind the figure of steps."""
    row = row_of(data, "steps", method=GRADIENT, layer=None, step=1.0)
    if row is None:
        return "No word moved by a smaller step."
    n = plural(measured(data).height, "backtrack")
    return (
        f"Left and middle: {plural(row['words'], 'sampled word')} of "
        f"{plural(row['events'], 'backtrack')}. Right: all measured words of {n}. "
        f"{data.interval_note}"
    )


def recall_cases(data: StudyData) -> str:
    """Numbers of backtracks behind the figure of recall."""
    row = row_of(data, "recall", ranking=ESTIMATE, k=FIRST)
    n = NOTHING if row is None else plural(row["events"], "backtrack")
    return f"k\u00a0=\u00a0{FIRST}: {n}. {data.interval_note}"


def causes_cases(data: StudyData) -> str:
    """Numbers of backtracks with a planted cause."""
    row = row_of(data, "causes", cause="all", ranking=RANKINGS[0], k=FIRST)
    if row is None:
        return "No measured backtrack has a planted cause."
    return (
        f"{plural(row['events'], 'backtrack')} with a planted cause on "
        f"{plural(row['problems'], 'problem')}. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"steps": steps_cases, "recall": recall_cases, "causes": causes_cases},
)
