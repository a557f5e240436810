"""Agreement of found events with labelled events: precision, recall and F1.

A labelled arrival is found if an arrival of equal value ends within `TOLERANCE`
characters of the labelled end. A labelled backtrack is found if a backtrack starts
within `TOLERANCE` characters of the labelled start. Each label counts once. With the
counts of hits, found and labelled events: precision = hits / found,
recall = hits / labelled, F1 = 2 hits / (found + labelled).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.marked_events import Mark, MarkedTrace
from doubletake.running.errors import InputError
from doubletake.stats.intervals import IntervalSettings, cluster_ends, number

# ASSUME: an event so near a label is the labelled event.
TOLERANCE = 3  # characters
CONTEXT = 80  # characters on either side of a mistake
KINDS = ("arrival", "backtrack")
MISSED, FALSE_HIT = "missed", "false hit"
METRICS = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Comparison:
    """Found and labelled events of one kind in one trace, matched."""

    trace: str
    model: str
    kind: str
    found: int
    """Number of found events."""
    labelled: int
    """Number of labelled events."""
    missed: tuple[Mark, ...]
    """Labels that were not found."""
    false_hits: tuple[Mark, ...]
    """Found events without a label."""

    @property
    def hits(self) -> int:
        """Number of labels that were found."""
        return self.found - len(self.false_hits)


def match_marks(
    found: Sequence[Mark], labelled: Sequence[Mark]
) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Missed labels and false hits; each found mark takes the nearest free label."""
    free, false_hits = list(labelled), []
    for mark in found:
        distances = [abs(mark.character - label.character) for label in free]
        near = [
            index
            for index, label in enumerate(free)
            if distances[index] <= TOLERANCE and mark.value == label.value
        ]
        if near:
            del free[min(near, key=distances.__getitem__)]
        else:
            false_hits.append(mark)
    return tuple(free), tuple(false_hits)


def compare(
    found: Iterable[MarkedTrace], labelled: Sequence[MarkedTrace]
) -> list[Comparison]:
    """Both kinds of events of every labelled trace; other traces are left out.

    Raises:
        InputError: a labelled trace has no row of found events.
    """
    by_trace = {item.trace: item for item in found}
    missing = [item.trace for item in labelled if item.trace not in by_trace]
    if missing:
        raise InputError(
            f"no events of {len(missing)} of {len(labelled)} labelled traces, "
            f"first {missing[0]!r}"
        )
    return [
        _comparison(kind, by_trace[item.trace], item)
        for item in labelled
        for kind in KINDS
    ]


def _comparison(kind: str, found: MarkedTrace, labelled: MarkedTrace) -> Comparison:
    found_marks, labels = (
        item.arrivals if kind == "arrival" else item.backtracks
        for item in (found, labelled)
    )
    missed, false_hits = match_marks(found_marks, labels)
    return Comparison(
        trace=labelled.trace,
        model=labelled.model,
        kind=kind,
        found=len(found_marks),
        labelled=len(labels),
        missed=missed,
        false_hits=false_hits,
    )


def score_rows(
    comparisons: Sequence[Comparison], intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Rows of `DETECTOR_SCORES` without the detector: all models, then each model."""
    models = sorted({item.model for item in comparisons})
    groups: list[str | None] = [None, *models]
    return [
        {"model": model, "kind": kind}
        | metrics(
            [c for c in comparisons if c.kind == kind and model in (None, c.model)],
            intervals,
        )
        for model in groups
        for kind in KINDS
    ]


def metrics(
    comparisons: Sequence[Comparison], intervals: IntervalSettings
) -> dict[str, int | float | None]:
    """Counts, precision, recall and F1 with their intervals.

    Precision is None where no event was found, recall where no event was labelled. F1
    is 1 where no event was found or labelled. Each metric is a ratio of sums over
    traces. Its interval is over traces (`stats.intervals.share_ends`); None where there
    are too few.
    """
    counts = [(item.hits, item.found, item.labelled) for item in comparisons]
    hits, found, labelled = np.array(counts, dtype=float).reshape(-1, 3).T
    numerators = np.stack([hits, hits, 2 * hits], axis=1)
    denominators = np.stack([found, labelled, found + labelled], axis=1)
    ends = cluster_ends(numerators, denominators, intervals, shares=True)
    row: dict[str, int | float | None] = {
        "traces": len(comparisons),
        "labelled": int(labelled.sum()),
        "found": int(found.sum()),
        "hits": int(hits.sum()),
    }
    for column, name in enumerate(METRICS):
        top, base = numerators[:, column].sum(), denominators[:, column].sum()
        empty = 1.0 if name == "f1" else None
        row[name] = float(top / base) if base else empty
        for end, values in zip(("low", "high"), ends, strict=True):
            row[f"{name}_{end}"] = number(values[column])
    return row


def mistake_rows(comparison: Comparison, thought: str) -> list[dict[str, Any]]:
    """Rows of `DETECTOR_MISTAKES` without the detector, in the order of the thought."""
    both = [(MISSED, mark) for mark in comparison.missed]
    both += [(FALSE_HIT, mark) for mark in comparison.false_hits]
    return [
        {
            "model": comparison.model,
            "trace": comparison.trace,
            "kind": comparison.kind,
            "mistake": mistake,
            "character": mark.character,
            "value": mark.value or None,
            "cue": mark.cue or None,
            "before": thought[max(0, mark.character - CONTEXT) : mark.character],
            "after": thought[mark.character : mark.character + CONTEXT],
        }
        for mistake, mark in sorted(both, key=lambda item: item[1].character)
    ]
