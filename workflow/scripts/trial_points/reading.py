"""For later stages: the trial points of each thought, as exit rules read them."""

from typing import Any

import polars as pl

from doubletake.exit_rules.points import KINDS, TrialPoint
from doubletake.exit_rules.thoughts import Thought
from doubletake.text.trace_positions import thought_tokens

SAME = (
    "chunk",
    "trial_text",
    "answer",
    "trial_ended",
    "entropy",
    "marker_logprob",
    "marker_rank",
    "best_other_logprob",
    "arrivals",
    "cues",
)
"""Columns with the name of a field of a `TrialPoint`."""


def thoughts_of(
    points: pl.DataFrame,
    traces: pl.DataFrame,
    probe_scores: dict[tuple[str, int], float] | None = None,
) -> list[Thought]:
    """The thoughts with trial points, in the order of the traces.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`, with all traces of the points.
        probe_scores: probability that the trial answer is right, by trace and point.
    """
    scores = probe_scores or {}
    by_trace = points.sort("trace", "point").partition_by("trace", as_dict=True)
    found = []
    for trace in traces.iter_rows(named=True):
        rows = by_trace.get((trace["trace"],))
        if rows is None:
            continue
        first, stop = thought_tokens(trace)
        own = rows.to_dicts()
        found.append(
            Thought(
                trace["trace"],
                trace["problem"],
                tuple(
                    point_of(row, scores.get((row["trace"], row["point"])))
                    for row in own
                ),
                max(stop - first, own[-1]["tokens_before"]),
                trace["answer"],
                (trace["correct"], *(row["correct"] for row in own)),
            )
        )
    return found


def point_of(row: dict[str, Any], probe_score: float | None = None) -> TrialPoint:
    """A row of `TRIAL_POINTS` as exit rules read it."""
    return TrialPoint(
        token=row["tokens_before"],
        kinds=frozenset(kind for kind in KINDS if row[kind]),
        trial_logprobs=tuple(row["trial_logprobs"]),
        probe_score=probe_score,
        read=row["tokens_read"],
        **{name: row[name] for name in SAME},
    )
