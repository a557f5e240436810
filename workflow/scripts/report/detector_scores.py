"""Printed table of the detectors' scores on labelled traces."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.detector.detectors import SCORED
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
    """The page's sentence and table on the detectors."""

    used: str
    """A sentence on the detectors that the studies used, and on their scores."""
    sheet: Sheet


def detector_scores(
    scores: pl.DataFrame, used: list[str], labels: str, confidence: float
) -> DetectorScores:
    """The detectors side by side.

    Args:
        scores: the table `DETECTOR_SCORES`.
        used: detectors of the studies.
        labels: file of labelled traces, as named in the config.
        confidence: coverage of the intervals.
    """
    # With one model, its rows equal the rows of all models.
    if scores["model"].drop_nulls().n_unique() == 1:
        scores = scores.filter(pl.col("model").is_not_null())
    order = pl.Enum(SCORED)
    rows = scores.sort(
        pl.col("detector").cast(order), "kind", "model", maintain_order=True
    )
    overall = rows.group_by("detector", "kind").agg(pl.col("traces").max())
    traces = plural(overall["traces"].to_list()[0], "trace")
    sheet = Sheet(
        "The detectors against labelled traces",
        COLUMNS,
        tuple(
            _row(row, repeated)
            for row, repeated in zip(
                rows.iter_rows(named=True), _repeated(rows), strict=True
            )
        ),
        (0, 1, 2),
        f"Labels: {labels}, {traces}. A labelled arrival counts as found if a detected "
        "arrival has the same value and ends within 3 characters of its end. A "
        "labelled backtrack counts as found if a detected backtrack starts within 3 "
        f"characters of its start. In parentheses: {percent(confidence, 0)} intervals "
        "over traces. Missed and invented events are listed with their "
        "context in results/detector/mistakes.parquet. Thoughts of other models may be "
        "harder for the detectors. The detector causal is rules on the text up to each "
        "place, as an exit rule reads it while the thought is written.",
    )
    return DetectorScores(_in_words(scores, sorted(set(used)), labels), sheet)


def _in_words(scores: pl.DataFrame, used: list[str], labels: str) -> str:
    """A sentence on the used detectors and their F1 on all labelled traces."""
    parts = []
    for detector in used:
        rows = scores.filter(detector=detector)
        figures = [
            f"{probability(_overall(rows, kind))} for {kind}s"
            for kind in ("arrival", "backtrack")
        ]
        parts.append(f"{detector} (F1 {listed(figures)})")
    return f"Used here: {listed(parts)}, measured on the labelled traces of {labels}."


def _overall(scores: pl.DataFrame, kind: str) -> float:
    """F1 over all models, in the row without a model."""
    return float(scores.filter(kind=kind).sort("model", nulls_last=False)["f1"][0])


def _repeated(rows: pl.DataFrame) -> list[tuple[bool, bool]]:
    """For each row: whether detector, and kind too, equal those of the row above."""
    pairs = rows.select("detector", "kind").rows()
    pairs_above = [(None, None), *pairs[:-1]]
    return [
        (pair[0] == above[0], pair == above)
        for pair, above in zip(pairs, pairs_above, strict=True)
    ]


def _row(row: dict[str, Any], repeated: tuple[bool, bool]) -> tuple[str, ...]:
    """One printed row, with empty cells for repeated names."""
    return (
        "" if repeated[0] else row["detector"],
        "" if repeated[1] else f"{row['kind']}s",
        f"{row['model'] or 'all'}, {count(row['traces'])}",
        count(row["labelled"]),
        count(row["found"]),
        *(_figure(row, name) for name in ("f1", "precision", "recall")),
    )


def _figure(row: dict[str, Any], name: str) -> str:
    """A score with its interval; not checked on too few traces."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return NOTHING
    if low is None:
        return f"{value:.2f} (not checked)"
    return f"{value:.{3 if name == 'f1' else 2}f} ({low:.2f}–{high:.2f})"
