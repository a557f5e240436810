"""How well found events agree with labelled ones.

An arrival is found if one of equal value ends within `TOLERANCE` characters of the
labelled end, a backtrack if one starts within `TOLERANCE` characters of the labelled
start; each label counts once. Precision is hits over found, recall hits over labelled,
F1 twice the hits over found and labelled together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doubletake.detector.events import Events
from doubletake.detector.thought_files import Mark, MarkedTrace
from doubletake.running.errors import InputError
from doubletake.stats.intervals import Resampling, cluster_bootstrap

TOLERANCE = 3  # characters
CONTEXT = 80  # characters on either side of a mistake
KINDS = ("arrival", "backtrack")
MISSED, FALSE_HIT = "missed", "false hit"
FIGURES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Comparison:
    """Found against labelled events of one kind in one trace."""

    trace: str
    model: str
    kind: str
    found: int
    labelled: int
    missed: tuple[Mark, ...]
    false_hits: tuple[Mark, ...]

    @property
    def hits(self) -> int:
        """Labels that were found."""
        return self.found - len(self.false_hits)


def marked(trace: str, model: str, events: Events) -> MarkedTrace:
    """A detector's events as places to match."""
    return MarkedTrace(
        trace,
        model,
        tuple(Mark(item.end, item.value) for item in events.arrivals),
        tuple(Mark(item.start, cue=item.cue) for item in events.backtracks),
    )


def matching(
    found: Sequence[Mark], labelled: Sequence[Mark]
) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Labels missed and false hits; a found mark takes the nearest label left."""
    free, false_hits = list(labelled), []
    for mark in found:
        near = [
            place
            for place, label in enumerate(free)
            if abs(mark.place - label.place) <= TOLERANCE and mark.value == label.value
        ]
        if near:
            del free[min(near, key=lambda i: abs(mark.place - free[i].place))]
        else:
            false_hits.append(mark)
    return tuple(free), tuple(false_hits)


def compare(
    found: Iterable[MarkedTrace], labelled: Sequence[MarkedTrace]
) -> list[Comparison]:
    """Both kinds of every labelled trace; what is found in other traces is left out.

    Raises:
        InputError: a labelled trace was not read by the detector.
    """
    by_trace = {item.trace: item for item in found}
    lacking = [item.trace for item in labelled if item.trace not in by_trace]
    if lacking:
        raise InputError(
            f"no events of {len(lacking)} of {len(labelled)} labelled traces, "
            f"first {lacking[0]!r}"
        )
    return [
        _comparison(kind, by_trace[item.trace], item)
        for item in labelled
        for kind in KINDS
    ]


def _comparison(kind: str, found: MarkedTrace, labelled: MarkedTrace) -> Comparison:
    ours, theirs = (
        item.arrivals if kind == "arrival" else item.backtracks
        for item in (found, labelled)
    )
    missed, false_hits = matching(ours, theirs)
    return Comparison(
        trace=labelled.trace,
        model=labelled.model,
        kind=kind,
        found=len(ours),
        labelled=len(theirs),
        missed=missed,
        false_hits=false_hits,
    )


def score_rows(
    comparisons: Sequence[Comparison], resampling: Resampling
) -> list[dict[str, Any]]:
    """Rows of `schemas.DETECTOR_SCORES` but for the detector: all, then each model."""
    models = sorted({item.model for item in comparisons})
    groups: list[str | None] = [None, *models]
    return [
        {"model": model, "kind": kind}
        | figures(
            [c for c in comparisons if c.kind == kind and model in (None, c.model)],
            resampling,
        )
        for model in groups
        for kind in KINDS
    ]


def figures(
    comparisons: Sequence[Comparison], resampling: Resampling
) -> dict[str, int | float | None]:
    """Counts, precision, recall and F1 with their intervals.

    A figure is None where nothing was found or nothing labelled, but F1 is 1 where both
    hold: there was nothing to find. An interval is the percentile bootstrap over traces
    (`stats.cluster_bootstrap`): each figure is a ratio of sums over traces.
    """
    counts = [(item.hits, item.found, item.labelled) for item in comparisons]
    hits, found, labelled = np.array(counts, dtype=float).reshape(-1, 3).T
    tops = np.stack([hits, hits, 2 * hits], axis=1)
    bases = np.stack([found, labelled, found + labelled], axis=1)
    ends = cluster_bootstrap(tops, bases, resampling)
    row: dict[str, int | float | None] = {
        "traces": len(comparisons),
        "labelled": int(labelled.sum()),
        "found": int(found.sum()),
        "hits": int(hits.sum()),
    }
    for column, name in enumerate(FIGURES):
        top, base = tops[:, column].sum(), bases[:, column].sum()
        empty = 1.0 if name == "f1" else None
        row[name] = float(top / base) if base else empty
        for end, values in zip(("low", "high"), ends, strict=True):
            row[f"{name}_{end}"] = float(values[column]) if base else None
    return row


def mistake_rows(comparison: Comparison, thought: str) -> list[dict[str, Any]]:
    """Rows of `schemas.DETECTOR_MISTAKES` but for the detector, by place."""
    both = [(MISSED, mark) for mark in comparison.missed]
    both += [(FALSE_HIT, mark) for mark in comparison.false_hits]
    return [
        {
            "model": comparison.model,
            "trace": comparison.trace,
            "kind": comparison.kind,
            "mistake": mistake,
            "place": mark.place,
            "value": mark.value or None,
            "cue": mark.cue or None,
            "before": thought[max(0, mark.place - CONTEXT) : mark.place],
            "after": thought[mark.place : mark.place + CONTEXT],
        }
        for mistake, mark in sorted(both, key=lambda item: item[1].place)
    ]
