"""The report's sentences on steering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.design_study import is_design_study
from doubletake.page.reader import is_reader
from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import count, listed, percent, plural, points, real
from steering.names import (
    DIRECTION,
    GRID,
    NONE,
    PROBABILITY,
    PUBLISHED,
    TURNED,
    expected_sign,
    in_words,
)
from steering.page_claims import (
    against_random,
    by_strength,
    outside_band,
    steered_name,
    whole_limits,
)
from steering.page_sheets import cells_sheet, examples_sheet, ladder_sheet, whole_sheet

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_empty(data: StudyData) -> str | None:
    """Why nothing was screened; None where something was."""
    cells = data.tables["steering/cells"]
    if cells.filter(source=DIRECTION).height:
        return None
    if cells.is_empty():
        return (
            "Not checked: no thought on a problem to test arrives at an answer and "
            "goes on."
        )
    return "Not checked: none of the directions could be fitted in this study."


def headline(data: StudyData) -> str:
    """Whether the chosen direction changes turning, beyond random vectors."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    if steered_name(data) is None:
        return (
            f"Screening only: {best_place(data)}. No direction was tested on other "
            "problems, so nothing is claimed."
        )
    found = (against_random(data, PROBABILITY), by_strength(data, PROBABILITY))
    return " ".join((*found, *developed_here(data)))


def developed_here(data: StudyData) -> list[str]:
    """The warning of the study on whose problems the design was set."""
    if not is_design_study(data):
        return []
    return [
        "The design was set while looking at these problems, after three designs "
        "without a claim; so this is no confirmation (docs/methods.md)."
    ]


def best_place(data: StudyData) -> str:
    """The chosen direction with its score in the screening."""
    chosen = data.tables["steering/cells"].filter(chosen=True)
    if chosen.is_empty():
        return "no direction leaves the text whole at any strength"
    row = chosen.row(0, named=True)
    return (
        "compared with random vectors, the probability of a turn word changes most "
        f"along the strengths with {in_words(row['direction'])} at boundary "
        f"{row['boundary']} ({points(row['slope'])} points per residual norm, "
        f"{real(row['score'])} times "
        f"the slopes of random vectors, {plural(row['cases'], 'thought')}; the largest "
        "of many, so too large)"
    )


def findings(data: StudyData) -> list[str]:
    """The screening, the test of the chosen direction, whole thoughts, limits."""
    if why_empty(data) is not None:
        return []
    sentences = [_screened(data), *_published(data)]
    if is_reader(data):
        sentences.append(
            "The thoughts come from a file. Here the model itself continues them."
        )
    if steered_name(data) is None:
        return [*sentences, *_missing(data)]
    return [
        *sentences,
        *outside_band(data, PROBABILITY),
        f"{against_random(data, TURNED)} {by_strength(data, TURNED)}",
        *outside_band(data, TURNED),
        *_whole_thoughts(data),
        *whole_limits(data),
        *_unended(data),
        *_missing(data),
    ]


def _screened(data: StudyData) -> str:
    """What was screened, and how the choice was made."""
    cells = data.tables["steering/cells"]
    grid = cells.filter(setting=GRID, source=DIRECTION)
    none = cells.filter(source=NONE).row(0, named=True)
    whole = int(grid["whole"].sum())
    lost = percent(data.settings["steering"]["tolerance"], 0)
    text = (
        f"Screened: {plural(grid.height, 'cell')} of directions, boundaries, positions "
        f"and strengths, on {plural(none['cases'], 'thought')} after an arrival; "
        f"without steering {percent(none['turned'])} turn back, and the next token is "
        f"a turn word with a mean probability of {percent(none['probability'])}. In "
        f"{count(whole)} "
        "cells the text is whole: its coherence, the geometric mean of the "
        f"tokens\u2019 probabilities without steering, falls by less than {lost}. "
    )
    if steered_name(data) is None:
        return text.rstrip()
    best = best_place(data)
    return f"{text}{best[0].upper()}{best[1:]}. It is tested on other problems."


def _published(data: StudyData) -> list[str]:
    """What the published settings do here."""
    rows = data.tables["steering/cells"].filter(setting=PUBLISHED).to_dicts()
    if not rows:
        return []
    parts = [
        f"{in_words(row['direction'])} with {real(row['strength'], 2)} residual norms "
        f"changes the probability of a turn word by {points(row['probability_shift'])} "
        f"points (interval {data.between(row, points, 'probability_shift')}), the "
        f"share that turns back by {points(row['turned_shift'])} points, and leaves "
        f"{percent(row['kept'], 0)} of "
        "the coherence"
        for row in rows
    ]
    return [
        "Published settings, their layers taken as shares of the depth: "
        f"{'; '.join(parts)}"
        f" ({plural(rows[0]['cases'], 'thought')})."
    ]


def _whole_thoughts(data: StudyData) -> list[str]:
    """Turning, length and accuracy of whole thoughts."""
    rows = data.tables["steering/summary"].to_dicts()
    if not rows:
        return ["Whole thoughts with the direction are not checked: none was decoded."]
    sense = expected_sign(steered_name(data) or "")
    ends = sorted(
        (row for row in rows if row["strength"] and row["intact"]),
        key=lambda row: row["strength"] * sense,
    )
    none = next(row for row in rows if not row["strength"])
    first = (
        f"Whole thoughts ({count(none['thoughts'])} at each strength, paired): without "
        f"steering {real(none['backtracks'], 2)} backtracks per 100 tokens, "
        f"{real(none['tokens'], 0)} tokens, {percent(none['accuracy'])} right"
    )
    shown = ends[:1] + ends[1:][-1:]
    parts = [
        f"at {real(row['strength'] * sense, 2)} {real(row['backtracks'], 2)}, "
        f"{real(row['tokens'], 0)} tokens, {percent(row['accuracy'])} right"
        for row in shown
    ]
    text = f"{first}{'; ' if parts else ''}{'; '.join(parts)}."
    if parts:
        text += " These are the strongest ones at which text is whole."
    text += (
        " Random vectors were not tried on whole thoughts, so a change of accuracy or "
        "length may be that of any vector of this norm."
    )
    return [text, by_strength(data, "backtracks"), accuracy(data, rows)]


def accuracy(data: StudyData, rows: list[dict[str, Any]]) -> str:
    """At how many strengths accuracy changes."""
    steered = [row for row in rows if row["strength"]]
    tested = [row for row in steered if row["accuracy_holm"] is not None]
    if not tested:
        return "The change of accuracy is not checked: too few problems."
    level = 1 - data.confidence
    changed = [row for row in tested if row["accuracy_holm"] <= level]
    lower = sum(row["accuracy_change"] < 0 for row in changed)
    parts = [
        f"{word} at {count(n)}"
        for word, n in (("lower", lower), ("higher", len(changed) - lower))
        if n
    ]
    told = f"is {listed(parts)}" if parts else "is not told from that of none at any"
    return (
        f"Accuracy {told} of {plural(len(tested), 'strength')} (paired score tests "
        "against none, corrected for the number of strengths)."
    )


def _unended(data: StudyData) -> list[str]:
    """Thoughts that found no end, which are counted."""
    rows = data.tables["steering/summary"].to_dicts()
    broken = [row for row in rows if row["unclosed"] or row["loops"]]
    if not broken:
        return []
    sense = expected_sign(steered_name(data) or "")
    parts = [
        f"{real(row['strength'] * sense, 2)}: {count(row['unclosed'])} without an end, "
        f"{count(row['loops'])} in a loop"
        for row in sorted(broken, key=lambda row: row["strength"] * sense)
    ]
    limit = data.settings["steering"]["max_tokens"]
    return [
        f"Thoughts that find no end within {plural(limit, 'token')}, or end in a loop, "
        f"are counted and count as wrong without an answer. By strength, of "
        f"{count(rows[0]['thoughts'])}: {'; '.join(parts)}."
    ]


def _missing(data: StudyData) -> list[str]:
    """Directions of the config that this study does not have."""
    asked = data.settings["steering"]["directions"]
    found = set(data.tables["steering/cells"]["direction"].drop_nulls())
    missing = [in_words(name) for name in asked if name not in found]
    if not missing:
        return []
    return [f"Not screened, because it could not be fitted: {listed(missing)}."]


def sheets(data: StudyData) -> list[Sheet]:
    """Cells of the screening, strengths, whole thoughts, examples."""
    made = [
        ladder_sheet(data),
        whole_sheet(data),
        cells_sheet(data),
        examples_sheet(data),
    ]
    return [sheet for sheet in made if sheet.rows]


def strength_cases(data: StudyData) -> str:
    """Number of continuations behind the figure of strengths."""
    rows = data.tables["steering/ladder"].filter(pl.col("source") == DIRECTION)
    if rows.is_empty():
        return f"No continuation. {data.interval_note}"
    row = rows.row(0, named=True)
    return (
        f"{plural(row['cases'], 'thought')} on {plural(row['problems'], 'problem')} "
        f"at each strength, with every vector. {data.interval_note}"
    )


def screening_cases(data: StudyData) -> str:
    """Number of continuations behind the figures of the screening."""
    none = data.tables["steering/cells"].filter(source=NONE)
    thoughts = int(none["cases"].sum())
    return f"{plural(thoughts, 'thought')} in every cell, one for each problem."


def accuracy_cases(data: StudyData) -> str:
    """Number of whole thoughts."""
    rows = data.tables["steering/summary"]
    thoughts = int(rows["thoughts"].to_numpy().max()) if rows.height else 0
    return f"{plural(thoughts, 'thought')} at each strength. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "strengths": strength_cases,
        "trade": screening_cases,
        "screening": screening_cases,
        "accuracy": accuracy_cases,
    },
)
