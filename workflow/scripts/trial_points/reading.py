"""For later stages: the trial points of each thought, as exit rules read them.

And the residual stream before arrivals and cues (`trial_points.kept_states`).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.exit_rules.points import KINDS, TrialPoint
from doubletake.exit_rules.thoughts import Thought
from doubletake.running.digests import file_digest
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.trace_positions import thought_tokens
from trial_points.tables import TRIAL_STATES

if TYPE_CHECKING:
    from doubletake.tensors.row_files import RowReader

RESID = "resid"
"""Name of the tensor with the states."""

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
                trace["thought_end"] is not None,
                own[0]["left_out"],
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


def states_origin(model: ModelSettings, traces_path: str | Path) -> dict[str, str]:
    """What the states of a study come from; metadata of every file of states."""
    return {
        "format": "1",
        **model_origin(model),
        "traces": file_digest(traces_path),
    }


def model_origin(model: ModelSettings) -> dict[str, str]:
    """Source, revision and dtype of a model."""
    known = asdict(model)
    return {key: known[key] or "" for key in ("source", "revision", "dtype")}


@dataclass(frozen=True)
class PointStates:
    """The residual stream before the arrivals and cues of a study."""

    places: dict[tuple[str, int], tuple[str, int]]
    """Shard and row by trace and point."""
    files: "dict[str, RowReader]"
    """By shard."""
    boundaries: tuple[int, ...]
    """Kept boundaries of the residual stream, ascending."""
    d_model: int
    token_multiplications: int
    """Of a forward pass of one token."""

    @classmethod
    def open(
        cls,
        index_path: str | Path,
        paths: Iterable[str | Path],
        origin: dict[str, str],
    ) -> "PointStates":
        """Open the files of all shards.

        Args:
            index_path: `TRIAL_STATES`.
            paths: the shards' files.
            origin: what they must come from (`states_origin`).

        Raises:
            InputError: a file is damaged, or comes from another model or other traces,
                or from another run than the others.
        """
        from doubletake.tensors.row_files import readers_by_shard  # loads torch

        files = readers_by_shard(paths, origin)
        rows = TRIAL_STATES.read(index_path).iter_rows()
        places = {(trace, point): (shard, row) for trace, point, shard, row in rows}
        keys = ("boundaries", "d_model", "token_multiplications")
        sizes = {tuple(file.metadata[key] for key in keys) for file in files.values()}
        if len(sizes) != 1:
            raise InputError(f"{index_path}: states of different sizes: {sizes}")
        ((boundaries, d_model, multiplications),) = sizes
        layers = tuple(map(int, boundaries.split(",")))
        return cls(places, files, layers, int(d_model), int(multiplications))

    def read(
        self, points: list[tuple[str, int]], layers: tuple[int, ...]
    ) -> np.ndarray:
        """States `[point, layer, d_model]`, float32, which holds every model's dtype.

        Args:
            points: trace and point of arrivals and cues.
            layers: kept boundaries.

        Raises:
            InputError: a file is damaged.
        """
        result = np.empty((len(points), len(layers), self.d_model), dtype=np.float32)
        columns = [self.boundaries.index(layer) for layer in layers]
        by_shard: dict[str, list[tuple[int, int]]] = {}
        for place, point in enumerate(points):
            shard, row = self.places[point]
            by_shard.setdefault(shard, []).append((row, place))
        for shard, found in by_shard.items():
            rows, places = map(list, zip(*sorted(found), strict=True))
            for number, column in enumerate(columns):
                for values, block in self.files[shard].rows(RESID, rows, column):
                    result[places[block], number] = values.float().numpy()
        return result
