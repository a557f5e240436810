"""The report's sentences on ablations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ablation.page_sheets import sheets
from ablation.page_texts import coherence, continuations, rates_of, thoughts
from ablation.targets import (
    DIRECTIONS,
    LONG,
    NONE,
    NULLS,
    PUBLISHED,
    SHORT,
)
from ablation.wording import (
    LOWERS,
    NOT_CHECKED,
    NOT_TOLD,
    in_words,
    sets_in_words,
    verdict,
)
from doubletake.page.design_study import is_design_study
from doubletake.page.sections import Section
from doubletake.page.wording import (
    count,
    listed,
    percent,
    plural,
    points,
    probability,
    real,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

RATE = "the probability of turning back right after an arrival"


def why_empty(data: StudyData) -> str | None:
    """Why nothing was measured; None where something was."""
    if data.tables["ablation"].is_empty():
        return "Not checked: no thought of a test problem goes on after an arrival."
    if claimed(data).is_empty():
        return "Not checked: no direction, unit or head could be taken away."
    return None


def claimed(data: StudyData) -> pl.DataFrame:
    """The ablations that claims are made on, rows of `ablation/effects`."""
    return data.tables["ablation/effects"].filter(
        pl.col("claimed"), pl.col("p").is_not_null()
    )


def headline(data: StudyData) -> str:
    """Which ablations lower the probability of turning back more than random ones."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = claimed(data).to_dicts()
    found = {word: _of_verdict(data, rows, word) for word in (LOWERS, NOT_TOLD)}
    boundaries = plural(rows[0]["boundaries"], "place")
    cases = f"{boundaries}, {plural(rows[0]['problems'], 'test problem')}"
    if not found[LOWERS] and not found[NOT_TOLD]:
        return f"Not checked: too few problems ({cases})."
    most = min(row["random_draws"] for row in rows)
    tests = (
        f"rank among at least {count(most)} random sets each, corrected for "
        f"{plural(len(rows), 'test')}; {cases}"
    )
    if not found[LOWERS]:
        return (
            f"None of {plural(len(rows), 'ablation')} lowers {RATE} more than random "
            f"ones do ({tests})."
        )
    names = [in_words(row) for row in found[LOWERS]]
    verb = "lowers" if len(names) == 1 else "each lower"
    others = len(found[NOT_TOLD])
    rest = ""
    if others:
        do = "does" if others == 1 else "do"
        rest = f"; {plural(others, 'other ablation')} {do} not"
    text = (
        f"Taking away {listed(names)} {verb} {RATE} more than random ones do{rest} "
        f"({tests})."
    )
    added = any(row["target"].startswith("supporting") for row in found[LOWERS])
    if added and is_design_study(data):
        text += (
            " The supporting ones were added to the design after the others had failed "
            "on these problems; so this is no confirmation (docs/methods.md)."
        )
    return text


def _of_verdict(
    data: StudyData, rows: list[dict[str, Any]], word: str
) -> list[dict[str, Any]]:
    return [row for row in rows if _verdict(data, row) == word]


def _verdict(data: StudyData, row: dict[str, Any]) -> str:
    return verdict(row, data.is_enough(row["problems"]))


def findings(data: StudyData) -> list[str]:
    """Each ablation beside its random sets, published shares, texts, what is left."""
    if why_empty(data) is not None:
        return _left_out(data)
    rows = claimed(data).to_dicts()
    return [
        *(_effect(data, row) for row in rows),
        *_as_published(rows),
        *coherence(data, _of_verdict(data, rows, LOWERS)),
        *continuations(data),
        *thoughts(data),
        *_projections(data),
        *_left_out(data),
    ]


def _effect(data: StudyData, row: dict[str, Any]) -> str:
    """One ablation beside what it is compared with."""
    parts = [
        f"{percent(row[f'{null}_mean'])} with {count(row[f'{null}_draws'])} "
        f"{sets_in_words(row['target'], null)} (95% of them "
        f"{percent(row[f'{null}_least'])} to {percent(row[f'{null}_most'])}; "
        f"{count(row[f'{null}_as_low'])} as low)"
        for null in NULLS
        if row[f"{null}_draws"] is not None
    ]
    words = {
        LOWERS: "lower than without and lower than random ones",
        NOT_TOLD: "not lower than random ones",
        NOT_CHECKED: NOT_CHECKED,
    }
    name = in_words(row)
    return (
        f"{name[0].upper()}{name[1:]}: {percent(row['ablated'])} against "
        f"{percent(row['plain'])} without, {points(row['change'])} points "
        f"({data.confidence:.0%} interval {data.between(row, points, 'change')}); "
        f"{listed(parts)}; {words[_verdict(data, row)]} (p "
        f"{probability(row['p'])}, corrected {probability(row['p_holm'])})."
    )


def _as_published(rows: list[dict[str, Any]]) -> list[str]:
    """The lowest targeted ablation as the literature states it."""
    row = min(rows, key=lambda row: row["ablated"])
    there = " / ".join(percent(PUBLISHED[key]) for key in ("targeted", "random", NONE))
    here = " / ".join(
        percent(value) for value in (row["ablated"], row["random_mean"], row["plain"])
    )
    return [
        f"Targeted / random / no ablation: {here} here ({in_words(row)}, the lowest of "
        f"all, so by choice; probability of turning back after an arrival), {there} in "
        "a public run (R1-Distill-Qwen-1.5B on GSM8K, share of thoughts): another "
        "model, measure and target, so not comparable in size. In both, random "
        "ablation has to stand beside the targeted one."
    ]


def _projections(data: StudyData) -> list[str]:
    """On which side of 0 the states lie along the directions."""
    versions = data.tables["ablation/versions"].filter(
        pl.col("projection").round(2) < 0,
        pl.col("claimed"),
        pl.col("target").is_in(DIRECTIONS),
    )
    if versions.is_empty():
        return []
    parts = [
        f"{in_words(row)} ({real(row['projection'], 2)} residual norms)"
        for row in versions.to_dicts()
    ]
    return [
        "To project a direction out sets the states to 0 along it, which need not be "
        "neutral: after arrivals of the fit problems, they lie below 0 along "
        f"{listed(parts)}, so projecting out moves them toward turning back."
    ]


def _left_out(data: StudyData) -> list[str]:
    """What could not be taken away, or has no random sets."""
    versions = data.tables["ablation/versions"]
    sentences = []
    absent = versions.filter(pl.col("why_not").is_not_null())
    for (reason,), part in absent.group_by("why_not", maintain_order=True):
        names = listed([in_words(row) for row in part.to_dicts()])
        sentences.append(f"Not measured: {names}; {reason}.")
    alone = versions.filter(replaceable=0)
    if alone.height:
        names = listed([in_words(row) for row in alone.to_dicts()])
        sentences.append(
            f"Not compared with random ones, because no others write as much: {names}."
        )
    return sentences


def effect_cases(data: StudyData) -> str:
    """Number of places behind the figure of effects."""
    effects = data.tables["ablation/effects"]
    if effects.is_empty():
        return "No ablation was measured."
    row = effects.row(0, named=True)
    sets = data.tables["ablation/sets"].filter(pl.col("draw") > 0).height
    return (
        f"{plural(row['boundaries'], 'place')} after arrivals on "
        f"{plural(row['problems'], 'test problem')}; {count(sets)} random sets in all."
    )


def coherence_cases(data: StudyData) -> str:
    """Number of texts behind the figure of coherence."""
    n = {length: rates_of(data, length)[0].get("n", 0) for length in (SHORT, LONG)}
    return (
        f"{plural(n[SHORT], 'continuation')} and {plural(n[LONG], 'whole thought')} "
        f"for each mark. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"effects": effect_cases, "coherence": coherence_cases},
)
