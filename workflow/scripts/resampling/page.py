"""The report's sentences on resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.caveats import chosen_by_prediction
from doubletake.page.reader import is_reader
from doubletake.page.sections import Section, Tile
from doubletake.page.wording import count, listed, percent, plural, real
from resampling.names import ALL, BACKTRACK, CAUSE, MASS, PLANTED, PROBE, WITHIN
from resampling.page_importance import importance_findings
from resampling.page_sheets import sheets
from resampling.verdicts import Row, predicts

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PUBLISHED = 0.933
"""Unstable keyword boundaries (stability-steering, arXiv 2604.02113)."""
SCORE_NAMES = {
    MASS: "the probability mass of the backtrack words",
    PROBE: "the study\u2019s matched probe",
}


def why_empty(data: StudyData) -> str | None:
    """Why nothing was written again; None where something was."""
    if summary_of(data, ALL) is not None:
        return None
    if is_reader(data):
        return "Not measured: the thoughts come from a file and were not written again."
    return (
        "Not measured: the study has no selected backtrack, no matched control and no "
        "boundary after an arrival."
    )


def summary_of(data: StudyData, kind: str) -> Row | None:
    """The row of `RESAMPLING_SUMMARY` of a kind; None without boundaries."""
    rows = data.tables["resampling/summary"].filter(kind=kind).to_dicts()
    return rows[0] if rows else None


def headline(data: StudyData) -> str:
    """How often backtracks are stable, and what predicts the rate."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    row, what = summary_of(data, BACKTRACK), "backtrack"
    if row is None:
        row, what = summary_of(data, ALL), "boundary"
    assert row is not None
    s = data.settings["resampling"]
    cases = plural(row["boundaries"], what, "boundaries" if what[-1] == "y" else None)
    again = percent(1 - row["differs"])
    text = (
        f"Written again {s['samples']} times from right before the sentence, "
        f"{again} of the new thoughts do as the study\u2019s thought did ({cases} on "
        f"{plural(row['problems'], 'problem')}); {percent(row['unstable'])} are "
        f"unstable (interval {data.between(row, percent, 'unstable')})"
    )
    return f"{text}. {prediction_sentence(data)}".strip()


def prediction_sentence(data: StudyData) -> str:
    """Which scores predict the rate within the kinds of boundaries."""
    rows = {
        row["score"]: row
        for row in data.tables["resampling/prediction"].filter(part=WITHIN).to_dicts()
    }
    by_verdict: dict[str, list[str]] = {}
    for score, name in SCORE_NAMES.items():
        if score in rows and rows[score]["spearman"] is not None:
            verdict = predicts(rows[score], data.confidence)
            by_verdict.setdefault(verdict, []).append(name)
    parts = [f"{verdict} for {listed(names)}" for verdict, names in by_verdict.items()]
    if not parts:
        return ""
    verdicts = "; ".join(parts)
    return f"Among boundaries of one kind, prediction of this rate is {verdicts}."


def findings(data: StudyData) -> list[str]:
    """Stability, prediction beside detection, importance, what was checked."""
    if data.tables["resampling"].is_empty():
        return []
    return [
        *_stability(data),
        *_prediction(data),
        *importance_findings(data),
        *_unfinished(data),
        *_checks(data),
    ]


def _stability(data: StudyData) -> list[str]:
    row = summary_of(data, BACKTRACK)
    if row is None:
        return []
    share = data.settings["resampling"]["stable_share"]
    samples = data.settings["resampling"]["samples"]
    sentences = [
        f"A boundary is called unstable if fewer than {percent(share, 0)} of the draws "
        "do as the study\u2019s thought did, as published, where "
        f"{percent(PUBLISHED)} of keyword boundaries are unstable with 10 draws "
        "(another model; a keyword in the first paragraph in place of our detector in "
        f"the next sentence). Here {percent(row['unstable'])} of "
        f"{plural(row['boundaries'], 'backtrack')} are.",
        f"With {samples} draws at least one draw differs from the study\u2019s thought "
        f"at {percent(row['any'])} of the backtracks. This share grows with the number "
        "of draws. Two numbers do not: a draw differs from the study\u2019s thought "
        f"with a chance of {percent(row['differs'])} (interval "
        f"{data.between(row, percent, 'differs')}), and two draws differ from each "
        f"other with a chance of {percent(row['disagree'])} (interval "
        f"{data.between(row, percent, 'disagree')}).",
        f"At {percent(row['mixed'])} of the backtracks the interval of the rate holds "
        "neither 0 nor 1: some draws turn back there and some do not.",
    ]
    known = data.tables["resampling"].drop_nulls(["planted", "rate"])
    if known.height:
        rate, planted = known.select("rate", "planted").mean().row(0)
        n = plural(known.height, "boundary", "boundaries")
        sentences.append(
            f"At {n} of the planted language draws turn back with a mean rate of "
            f"{percent(rate)}; planted is {percent(planted)}."
        )
    return sentences


def _prediction(data: StudyData) -> list[str]:
    table = data.tables["resampling/prediction"]
    sentences = []
    for score, name in SCORE_NAMES.items():
        rows = {row["part"]: row for row in table.filter(score=score).to_dicts()}
        if ALL in rows:
            sentences.append(_score_sentence(data, name, rows))
    if not sentences:
        return []
    planted = table.filter(score=PLANTED, part=ALL).to_dicts()
    if planted and planted[0]["spearman"] is not None:
        row, every = planted[0], data.tables["resampling"].height
        sentences.append(
            "The planted probability has a rank correlation of "
            f"{real(row['spearman'], 2)} with the rate (interval "
            f"{data.between(row, _two, 'spearman')}; it is known at "
            f"{count(row['boundaries'])} of {plural(every, 'boundary', 'boundaries')})."
            " The model need not turn with this probability, so it is no upper limit "
            "for a score."
        )
    note = chosen_by_prediction(data)
    return [*sentences, note.strip()] if note else sentences


def _score_sentence(data: StudyData, name: str, rows: dict[str, Row]) -> str:
    """Detection and prediction of one score."""
    whole, within = rows[ALL], rows.get(WITHIN)
    cases = (
        f"{plural(whole['boundaries'], 'boundary', 'boundaries')} on "
        f"{plural(whole['problems'], 'problem')}"
    )
    parts = []
    if whole["auroc"] is not None:
        parts.append(
            "detects where the study\u2019s thoughts turned with an AUROC of "
            f"{real(whole['auroc'], 2)} (interval {data.between(whole, _two, 'auroc')})"
        )
    if whole["spearman"] is not None and within is not None:
        inside = (
            ""
            if within["spearman"] is None
            else f", among boundaries of one kind {real(within['spearman'], 2)} "
            f"(interval {data.between(within, _two, 'spearman')}, prediction "
            f"{predicts(within, data.confidence)})"
        )
        parts.append(
            "has a rank correlation with the resampled rate of "
            f"{real(whole['spearman'], 2)} (interval "
            f"{data.between(whole, _two, 'spearman')}){inside}"
        )
        if whole["corrected"] is not None:
            parts.append(
                "without the noise of the draws it would be about "
                f"{real(whole['corrected'], 2)}"
            )
    if not parts:
        return f"{_capital(name)}: not checked ({cases})."
    return f"{_capital(name)} {'; it '.join(parts[:2])}{_rest(parts)} ({cases})."


def _rest(parts: list[str]) -> str:
    return f"; {parts[2]}" if len(parts) > 2 else ""


def _two(value: float) -> str:
    return real(value, 2)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unfinished(data: StudyData) -> list[str]:
    row = summary_of(data, ALL)
    if row is None:
        return []
    limit = data.settings["resampling"]["turn_tokens"]
    n = plural(row["draws"], "draw")
    return [
        f"In {count(row['unfinished'])} of {n} the next sentence does not end within "
        f"{plural(limit, 'token')}; these are judged by what is there."
    ]


def _checks(data: StudyData) -> list[str]:
    """How often the whole new thought gives another verdict."""
    checks = data.tables["resampling/verification"]
    rows = checks.filter(pl.col("check").str.starts_with("verdict on a new"))
    known = rows.drop_nulls("value").to_dicts()
    if not known:
        return []
    row = known[0]
    return [
        "Whether a sentence turns back is read in the place of the study\u2019s own "
        f"sentence. In {percent(row['value'])} of {plural(row['n'], 'rollout')} the "
        "detector says otherwise when it reads the whole new thought."
    ]


def tiles(data: StudyData) -> list[Tile]:
    """The share of unstable backtracks."""
    row = summary_of(data, BACKTRACK)
    if row is None:
        return []
    cases = plural(row["boundaries"], "backtrack")
    return [
        Tile(
            percent(row["unstable"], 0),
            "of backtracks do not come again reliably",
            f"{cases}, {data.settings['resampling']['samples']} draws each",
        )
    ]


def boundary_cases(data: StudyData) -> str:
    """Number of boundaries behind the figures of rates."""
    counts = data.tables["resampling"]["kind"].value_counts().sort("kind").iter_rows()
    parts = [f"{kind} {count(n)}" for kind, n in counts]
    return f"Boundaries: {listed(parts) or 'none'}. {data.interval_note}"


def sentence_cases(data: StudyData) -> str:
    """Number of sentences behind the figure of importance."""
    table = data.tables["resampling/sentences"]
    n = plural(table.height, "sentence")
    cause = int(table["cause"].fill_null(value=False).sum())
    holding = f", {count(cause)} of them with a planted {CAUSE}" if cause else ""
    return (
        f"{n} of {plural(table['trace'].n_unique(), 'thought')}{holding}. "
        f"{data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "stability": boundary_cases,
        "prediction": boundary_cases,
        "importance": sentence_cases,
    },
    tiles=tiles,
)
