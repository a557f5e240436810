"""For later stages: the trial points of each thought, as exit rules read them."""

from typing import Any

import polars as pl

from trial_points.tables import KINDS

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


def histories(points: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Fields of `doubletake.exit_rules.points.TrialPoint` of all points, by trace.

    The points of a trace are in order. `token` is the number of thought tokens before
    the point. `probe_score` is None; whoever has a probe fills it in.

    Args:
        points: `TRIAL_POINTS`.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in points.sort("trace", "point").iter_rows(named=True):
        found.setdefault(row["trace"], []).append(
            {
                "token": row["tokens_before"],
                "kinds": frozenset(kind for kind in KINDS if row[kind]),
                "trial_logprobs": tuple(row["trial_logprobs"]),
                "probe_score": None,
                **{name: row[name] for name in SAME},
            }
        )
    return found
