"""The file with the states before a shard's arrivals and cues.

    resid  [row, boundary, d_model]  model's dtype, the residual stream at the last
                                     token before the point: the state from which the
                                     model would close the thought

The file's format is that of `doubletake.tensors.row_files`; `TRIAL_STATES` says which
point a row belongs to, and `trial_points.reading` reads it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch

from doubletake.exit_rules.trial_plans import TrialPlan
from doubletake.model.batch_memory import token_multiplications
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.tensors.row_files import RowWriter, open_row_writer
from trial_points.reading import RESID
from trial_points.tables import TRIAL_STATES


def boundaries_at(shares: Sequence[float], n_layers: int) -> tuple[int, ...]:
    """Boundaries of the residual stream at shares of the depth, ascending, each once.

    Args:
        shares: 0: the embeddings; 1: the input of the final norm.
        n_layers: layers of the model.
    """
    return tuple(sorted({round(share * n_layers) for share in shares}))


@dataclass
class StateWriter:
    """Writes the states of a shard, trace by trace in any order."""

    file: RowWriter
    first_rows: list[int]
    """By number of the plan."""

    def write(self, plan: int, continuations: Sequence[Continuation]) -> None:
        """Write the states of all points of a trace that have some."""
        kept = [one.states for one in continuations if one.states is not None]
        if kept:
            self.file.write_rows(RESID, self.first_rows[plan], torch.stack(kept))


def state_rows(plans: Sequence[TrialPlan], shard: str) -> pl.DataFrame:
    """The table `TRIAL_STATES` of a shard: rows in the order of plans and points."""
    kept = [
        (row["trace"], row["point"])
        for plan in plans
        for row, branch in zip(plan.rows, plan.branches, strict=True)
        if branch.kept
    ]
    return TRIAL_STATES.frame(
        [
            {"trace": trace, "point": point, "shard": shard, "row": row}
            for row, (trace, point) in enumerate(kept)
        ]
    )


@contextmanager
def open_state_writer(
    path: Path,
    origin: dict[str, str],
    shard: str,
    decoder: Decoder,
    boundaries: tuple[int, ...],
    plans: Sequence[TrialPlan],
) -> Iterator[StateWriter]:
    """Open the file of a shard; it gets its name when all states are written.

    Args:
        path: of the file.
        origin: `trial_points.reading.states_origin`.
        shard: its name.
        decoder: the model.
        boundaries: that the branches of the plans keep.
        plans: the traces of the shard.
    """
    first_rows, rows = [], 0
    for plan in plans:
        first_rows.append(rows)
        rows += sum(bool(branch.kept) for branch in plan.branches)
    metadata = origin | {
        "shard": shard,
        "boundaries": ",".join(map(str, boundaries)),
        "d_model": str(decoder.d_model),
        "token_multiplications": str(token_multiplications(decoder)),
    }
    shape = [rows, len(boundaries), decoder.d_model]
    tensors = {RESID: (decoder.dtype, shape)}
    with open_row_writer(path, tensors, {RESID}, metadata) as file:
        yield StateWriter(file, first_rows)
