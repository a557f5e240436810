"""The report's sentences on repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.reader import whose
from doubletake.page.sections import Section
from doubletake.page.wording import listed, plural
from repetition.page_sentences import (
    CAVEAT,
    LATER_CAVEAT,
    filler_sentence,
    later_sentence,
    pull_sentence,
    stated_sentence,
    step_sentence,
    verdict,
)
from repetition.page_tables import sheets
from repetition.page_tests import claim_row, direction, step_row
from repetition.tables import BEYOND_LATER, CLAIMS, OUTCOMES, REPEATED, WRONG

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_empty(data: StudyData) -> str | None:
    """Why nothing was measured; None where something was."""
    if data.thoughts.is_empty():
        return f"Not measured: there is no thought {whose(data)}."
    if data.tables["repetition"].height:
        return None
    if not (data.thoughts["arrivals"] >= 2).any():
        return f"Not measured: no thought {whose(data)} has two arrivals."
    return (
        "Not measured: no thought with two arrivals in different sentences has an "
        "answer at exit 1 that ends, with texts that fit the model."
    )


def headline(data: StudyData) -> str:
    """Does thinking on change an answer's probability more than repeating does?"""
    reason = why_empty(data)
    if reason is not None:
        return reason
    parts = []
    for outcome in OUTCOMES:
        row = step_row(data, outcome)
        said = "no thought was measured" if row is None else verdict(data, outcome)
        n = plural(0 if row is None else row["traces"], "thought")
        parts.append(f"After a {outcome} first arrival ({n}), {said}.")
    return " ".join(parts)


def findings(data: StudyData) -> list[str]:
    """First steps, later steps, the stated number, a wrong number, length."""
    if why_empty(data) is not None:
        return []
    sentences: list[str] = []
    for outcome in OUTCOMES:
        if step_row(data, outcome) is None:
            continue
        sentences.append(step_sentence(data, outcome))
        sentences.append(later_sentence(data, outcome))
        if outcome == WRONG:
            sentences.append(stated_sentence(data))
        sentences.append(pull_sentence(data, outcome))
        sentences.append(filler_sentence(data, outcome))
    pairs = [(outcome, claim) for outcome in OUTCOMES for claim in CLAIMS]
    if any(claim_row(data, *pair) for pair in pairs):
        sentences.append(CAVEAT)
    if any(direction(data, outcome, BEYOND_LATER) is not None for outcome in OUTCOMES):
        sentences.append(LATER_CAVEAT)
    return [sentence for sentence in sentences if sentence]


def cases(data: StudyData) -> str:
    """Number of thoughts behind the figures, by the number of statements."""
    points = data.tables["repetition/points"].filter(arm=REPEATED, answer="fixed")
    if points.is_empty():
        return "No thought was measured."
    parts = []
    for outcome in OUTCOMES:
        own = points.filter(pl.col("outcome") == outcome).sort("exit")
        counts = [
            f"{n:,} at k\u00a0=\u00a0{k}" for k, n in own["exit", "traces"].rows()
        ]
        if counts:
            parts.append(f"{outcome}: {listed(counts)}")
    return f"Thoughts by first arrival, {'; '.join(parts)}. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"fixed_answer": cases, "wrong_number": cases},
)
