"""The detectors against labelled traces: the printed table."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.detector.detectors import DETECTORS
from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, listed, percent, plural, probability

COLUMNS = (
    "detector",
    "events",
    "traces",
    "labels",
    "found",
    "F1",
    "precision",
    "recall",
)


@dataclass(frozen=True)
class DetectorScores:
    """What the page says of the detectors."""

    used: str
    """Which detector the studies used, and how good it is; one or two sentences."""
    sheet: Sheet


def detector_scores(
    scores: pl.DataFrame, used: list[str], labels: str, confidence: float
) -> DetectorScores:
    """The detectors side by side.

    Args:
        scores: `schemas.DETECTOR_SCORES`.
        used: the detectors of the studies.
        labels: the file of labelled traces, as the config names it.
        confidence: coverage of the intervals.
    """
    # One model is all models: its row would stand there twice.
    if scores["model"].drop_nulls().n_unique() == 1:
        scores = scores.filter(pl.col("model").is_not_null())
    order = pl.Enum(DETECTORS)
    rows = scores.sort(
        pl.col("detector").cast(order), "kind", "model", maintain_order=True
    )
    overall = rows.group_by("detector", "kind").agg(pl.col("traces").max())
    traces = plural(overall["traces"].to_list()[0], "trace")
    sheet = Sheet(
        "The detectors against labelled traces",
        COLUMNS,
        tuple(
            _row(row, again)
            for row, again in zip(
                rows.iter_rows(named=True), _repeated(rows), strict=True
            )
        ),
        (0, 1, 2),
        f"Labels: {labels}, {traces}. An arrival is found if one of equal value ends "
        "within 3 characters of the labelled end, a backtrack if one starts within 3 "
        f"characters of the labelled start. In parentheses: {percent(confidence, 0)} "
        "bootstrap intervals over traces. What was missed or invented stands, with its "
        "context, in results/detector/mistakes.parquet. Other models' thoughts may be "
        "harder to read.",
    )
    return DetectorScores(_in_words(scores, sorted(set(used)), labels), sheet)


def _in_words(scores: pl.DataFrame, used: list[str], labels: str) -> str:
    """Which detector was used and how good it is on all labelled traces."""
    parts = []
    for detector in used:
        rows = scores.filter(detector=detector)
        figures = [
            f"{probability(_overall(rows, kind))} for {kind}s"
            for kind in ("arrival", "backtrack")
        ]
        parts.append(f"{detector} (F1 {listed(figures)})")
    return f"Used here: {listed(parts)}; measured on the labelled traces of {labels}."


def _overall(scores: pl.DataFrame, kind: str) -> float:
    """F1 over all models: the first row of its kind."""
    return float(scores.filter(kind=kind).sort("model", nulls_last=False)["f1"][0])


def _repeated(rows: pl.DataFrame) -> list[tuple[bool, bool]]:
    """Per row whether detector, and detector and kind, are those of the row above."""
    pairs = rows.select("detector", "kind").rows()
    above = [(None, None), *pairs[:-1]]
    return [
        (here[0] == last[0], here == last)
        for here, last in zip(pairs, above, strict=True)
    ]


def _row(row: dict[str, Any], again: tuple[bool, bool]) -> tuple[str, ...]:
    """One printed row; what stands in the row above is not repeated."""
    return (
        "" if again[0] else row["detector"],
        "" if again[1] else f"{row['kind']}s",
        f"{row['model'] or 'all'}, {count(row['traces'])}",
        count(row["labelled"]),
        count(row["found"]),
        *(_figure(row, name) for name in ("f1", "precision", "recall")),
    )


def _figure(row: dict[str, Any], name: str) -> str:
    """A figure with its interval."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None or low is None:
        return NOTHING if value is None else f"{value:.2f}"
    return f"{value:.{3 if name == 'f1' else 2}f} ({low:.2f}–{high:.2f})"
