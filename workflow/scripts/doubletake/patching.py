"""Exact patching: replace one cell of a forward pass and run the model again."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch

from doubletake.gradients import Decision, Metric, final_states
from doubletake.hooks import replaced
from doubletake.models import Decoder
from doubletake.passes import in_batches


class Cell(NamedTuple):
    """One state of a forward pass."""

    part: str
    """`resid`, `attn_out` or `mlp_out`."""
    layer: int
    token: int


def patched(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cells: Sequence[Cell],
    batch_tokens: int,
) -> tuple[list[float], float]:
    """Exact change of a decision's metric when each cell alone is set to its mean.

    Many cells go through the model side by side, each a full pass: what comes before
    the cell's token is computed again, which costs at most twice the work that is
    needed and keeps this reference as plain as can be.

    Args:
        decoder: the model.
        metric: what is measured.
        means: by part: [layer, d_model].
        decision: where.
        cells: what is replaced, one at a time.
        batch_tokens: tokens of a batch.

    Returns:
        metric(patched) - metric(clean) of every cell, and metric(clean).
    """
    ids = torch.tensor([decision.ids], device=decoder.device)

    @torch.inference_mode()
    def run(batch: list[Cell]) -> list[float]:
        rows = ids.expand(len(batch), -1)
        places = _by_layer(batch)
        with replaced(decoder, partial(_put_means, means, places)):
            states = final_states(decoder, rows, [decision] * len(batch))
            return metric(states, [decision] * len(batch)).tolist()

    with torch.inference_mode():
        (clean,) = metric(final_states(decoder, ids, [decision]), [decision]).tolist()
    changes: list[float] = []
    done = in_batches(
        cells,
        run,
        length=lambda _: len(decision.ids),
        name=lambda cell: f"trace {decision.trace}, {cell}",
        batch_tokens=batch_tokens,
    )
    for _, values in done:
        changes += [value - clean for value in values]
    return changes, clean


Places = dict[tuple[str, int], tuple[list[int], list[int]]]
"""By part and layer: rows of the batch and tokens in them."""


def _by_layer(cells: Sequence[Cell]) -> Places:
    places: Places = {}
    for row, cell in enumerate(cells):
        rows, tokens = places.setdefault((cell.part, cell.layer), ([], []))
        rows.append(row)
        tokens.append(cell.token)
    return places


def _put_means(
    means: dict[str, torch.Tensor],
    places: Places,
    name: str,
    layer: int,
    states: torch.Tensor,
) -> torch.Tensor | None:
    if (name, layer) not in places:
        return None
    states = states.clone()
    states[places[name, layer]] = means[name][layer].to(states.dtype)
    return states
