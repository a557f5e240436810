"""The report's sentences on the importance of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.study_data import Proportion
from doubletake.page.wording import count, listed, plural, points, real
from resampling.names import ARRIVAL, BACKTRACK, CAUSE
from resampling.verdicts import Row, differs

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MEASURE_NAMES = {
    "resampled": "resampling importance",
    "counterfactual": "counterfactual importance",
    "forced": "forced importance",
    "divergence": "the divergence of answers beyond chance",
}
KIND_NAMES = {
    ARRIVAL: ("sentences with an arrival", "other sentences"),
    BACKTRACK: ("sentences that turn back", "other sentences"),
    CAUSE: ("sentences with a planted cause", "sentences without one"),
}


def importance_findings(data: StudyData) -> list[str]:
    """The mean importance of each kind, its signs, and what the tests say."""
    table = data.tables["resampling/importance"]
    sentences = data.tables["resampling/sentences"]
    if sentences.is_empty():
        return ["The importance of sentences is not measured: there is no rollout."]
    rows = {(row["kind"], row["measure"]): row for row in table.to_dicts()}
    found = [_means(data, rows, kind) for kind in KIND_NAMES]
    cosine = data.settings["resampling"]["similarity"]
    unlike = int(sentences["dissimilar"].sum())
    return [
        _design(data),
        "Resampling and forced importance are positive where a sentence leads to the "
        "right answer; counterfactual importance has the opposite sign, as published.",
        *(text for text in found if text),
        *_tests(data, rows),
        "Unlike sentences are those with a cosine of weighted word counts below "
        f"{real(cosine, 2)} ({plural(unlike, 'rollout')}). Published is a cosine of "
        "sentence embeddings; word counts let more rewordings pass as unlike.",
    ]


def _design(data: StudyData) -> str:
    """How many sentences and rollouts there are, and how the thoughts were chosen."""
    sentences = data.tables["resampling/sentences"]
    finished = data.tables["traces"].drop_nulls("thought_end")
    own = finished.filter(pl.col("trace").is_in(sentences["trace"].unique().to_list()))
    wrong = count(own.filter(~pl.col("correct")).height)
    samples = count(data.settings["resampling"]["anchor_samples"])
    first = (
        "; thoughts that hold a planted cause come first"
        if sentences["cause"].count()
        else ""
    )
    return (
        f"Importance is measured on {plural(sentences.height, 'sentence')} of "
        f"{plural(own.height, 'thought')}, with {samples} rollouts from before and "
        f"{samples} from after each. Resampling importance of one sentence is a "
        f"difference of two shares of {samples}, so means are given. The thoughts are "
        "chosen: each turns back, and half of them end wrong, as far as there are any "
        f"(here {wrong} of {count(own.height)}; of all finished thoughts "
        f"{Proportion.of(~finished['correct']).text} end wrong){first}. So the means "
        "describe these thoughts, not all thoughts."
    )


def _means(data: StudyData, rows: dict[tuple[str, str], Row], kind: str) -> str:
    """Means of the importance in accuracy of a kind."""
    parts = []
    for measure in ("resampled", "counterfactual", "forced"):
        row = rows.get((kind, measure))
        if row is not None:
            parts.append(
                f"{MEASURE_NAMES[measure]} {points(row['value'])} points (interval "
                f"{data.between(row, points, 'value')}, "
                f"{plural(row['sentences'], 'sentence')})"
            )
    if not parts:
        return ""
    name = KIND_NAMES[kind][0]
    return f"{name[:1].upper()}{name[1:]}: {listed(parts)}."


def _tests(data: StudyData, rows: dict[tuple[str, str], Row]) -> list[str]:
    """Which kinds differ from other sentences, by which measure."""
    shown, checked, left_out = [], 0, 0
    for (kind, measure), row in rows.items():
        if kind not in KIND_NAMES or row["difference"] is None:
            continue
        verdict = differs(row, data.confidence)
        left_out += verdict == "not checked"
        checked += verdict != "not checked"
        if verdict in ("higher", "lower"):
            own, other = KIND_NAMES[kind]
            shown.append(
                f"{MEASURE_NAMES[measure]} is {verdict} in {own} than in {other}"
            )
    if not checked + left_out:
        return []
    skipped = (
        f" {plural(left_out, 'comparison')} with too few problems "
        f"{'is' if left_out == 1 else 'are'} not checked."
        if left_out
        else ""
    )
    if not checked:
        return [f"No kind of sentence is compared with others.{skipped}"]
    tests = plural(checked, "comparison")
    if not shown:
        return [
            f"In none of {tests} a kind of sentence is told from others (corrected for "
            f"their number).{skipped}"
        ]
    text = f"Of {tests}, corrected for their number: {'; '.join(shown)}."
    return [f"{text}{skipped}"]
