"""Exact patching: replace one cell of a forward pass and run the model again.

The replacement of a cell changes neither the layers before it nor the tokens before it.
So one clean pass is kept, and a patched pass starts at the cell's layer and token. It
starts from the clean states there and uses the clean keys and values of all tokens
before the cell.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from attribution.gradients import final_states
from attribution.metric import Decision, Metric
from doubletake.model.batch_memory import (
    Widths,
    cache_bytes,
    forward_bytes,
    reading_bytes,
)
from doubletake.model.batches import in_batches, run_alone
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, replaced

LENGTH_RATIO = 1.1  # longest / shortest pass of a group is at most this


class Cell(NamedTuple):
    """One state of a forward pass."""

    component: str
    """`resid`, `attn_out` or `mlp_out`."""
    layer: int
    """0, 1, ..."""
    token: int
    """Index in the sequence."""


def cost_of(cell: Cell, tokens: int, n_layers: int) -> int:
    """Cost of patching a cell: the tokens times layers that the model computes.

    Args:
        cell: the cell that is patched.
        tokens: number of tokens of the sequence.
        n_layers: number of layers of the model.
    """
    return (tokens - cell.token) * (n_layers - cell.layer)


@dataclass(frozen=True)
class _CleanPass:
    """States and metric of one clean pass over the sequence."""

    resid: dict[int, torch.Tensor]
    """Input of the layers that are patched: [1, token, d_model]."""
    cache: DynamicCache
    """Keys and values of all tokens."""
    metric_value: float


class _Prefix(DynamicLayer):
    """Clean keys and values of one layer, shared by all rows of a batch.

    The cache does not grow: new keys and values are used once and not stored.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Keep the prefix; both tensors are [1, head, token, d_head]."""
        super().__init__()
        self.keys, self.values = keys, values
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the prefix, followed by the new ones."""
        rows = len(key_states)
        return (
            torch.cat([self.keys.expand(rows, -1, -1, -1), key_states], dim=-2),
            torch.cat([self.values.expand(rows, -1, -1, -1), value_states], dim=-2),
        )


def exact_changes(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cells: Sequence[Cell],
    batch_memory: float,
) -> tuple[list[float], float]:
    """Exact change of a position's metric when each cell alone is set to its mean.

    Cells of one layer at nearby tokens go through the model in one batch.

    Args:
        decoder: the model.
        metric: the metric that is measured.
        means: by component: [layer, d_model].
        decision: the position whose metric is measured.
        cells: the cells that are replaced, one at a time.
        batch_memory: memory for a batch in addition to the model, in GiB.

    Returns:
        metric(patched) - metric(clean) of every cell, and metric(clean).
    """
    layers, tokens = {cell.layer for cell in cells}, len(decision.ids)
    w = Widths.of(decoder)
    kept = cache_bytes(w, tokens) + tokens * len(layers) * w.d * w.size
    clean = run_alone(
        partial(_clean_pass, decoder, metric, decision, layers),
        name=f"trace {decision.trace}",
        tokens=tokens,
        need=kept + forward_bytes(w, 1, tokens),
        batch_memory=batch_memory,
    )
    changes: dict[Cell, float] = {}
    for group in _groups_of_similar_length(cells, tokens):
        done = in_batches(
            group,
            partial(_patched_pass, decoder, metric, means, decision, clean),
            length=lambda cell: tokens - cell.token,
            name=lambda cell: f"trace {decision.trace}, {cell}",
            need=lambda batch: kept + patched_bytes(w, tokens, batch),
            batch_memory=batch_memory,
        )
        for batch, values in done:
            differences = (value - clean.metric_value for value in values)
            changes |= dict(zip(batch, differences, strict=True))
    return [changes[cell] for cell in cells], clean.metric_value


@torch.inference_mode()
def metric_by_full_pass(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cell: Cell,
) -> float:
    """The metric with one cell set to its mean, by a full pass that reuses no state."""
    ids = torch.tensor([decision.ids], device=decoder.device)
    with replaced(decoder, partial(_put_means, means, _by_layer([cell], 0))):
        states = final_states(decoder, ids, [decision])
        return metric(states, [decision]).item()


@torch.inference_mode()
def _clean_pass(
    decoder: Decoder, metric: Metric, decision: Decision, layers: set[int]
) -> _CleanPass:
    resid: dict[int, torch.Tensor] = {}

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        if name == "resid" and layer in layers:
            resid[layer] = states.clone()

    ids = torch.tensor([decision.ids], device=decoder.device)
    # No config here: with it, layers with a sliding window would drop keys.
    cache = DynamicCache()
    with hooked(decoder, keep):
        output = decoder.base(input_ids=ids, past_key_values=cache, use_cache=True)
    (value,) = metric(output.last_hidden_state[:, -1], [decision]).tolist()
    return _CleanPass(resid, cache, value)


@torch.inference_mode()
def _patched_pass(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    clean: _CleanPass,
    batch: list[Cell],
) -> list[float]:
    """The metric of each patched cell of one layer, computed from the first cell on."""
    layer, start = batch[0].layer, min(cell.token for cell in batch)
    states = clean.resid[layer][:, start:].expand(len(batch), -1, -1)
    positions = torch.arange(start, len(decision.ids), device=decoder.device)
    cache = DynamicCache()
    cache.layers = [
        _Prefix(kept.keys[:, :, :start], kept.values[:, :, :start])
        for kept in clean.cache.layers
    ]
    change = partial(_put_means, means, _by_layer(batch, start))
    # The parent of the layers: in a composite model, this is its text decoder.
    text_decoder = decoder.hf.get_submodule(decoder.layout.layers.rpartition(".")[0])
    with _starting_at(decoder, layer), replaced(decoder, change):
        output = text_decoder(
            inputs_embeds=states,
            position_ids=positions[None],
            past_key_values=cache,
            use_cache=True,
        )
    last = output.last_hidden_state[:, -1]
    return metric(last, [decision] * len(batch)).tolist()


def patched_bytes(widths: Widths, tokens: int, batch: Sequence[Cell]) -> float:
    """Peak memory of the patched pass of a batch, without the clean states, in bytes.

    Args:
        widths: of the model.
        tokens: tokens of the sequence.
        batch: cells of one layer.
    """
    new = tokens - min(cell.token for cell in batch)
    return reading_bytes(widths, len(batch), new, tokens)


@contextmanager
def _starting_at(decoder: Decoder, first: int) -> Iterator[None]:
    """Make the layers before `first` return their input unchanged.

    The layers stay in the model's list, because the model finds the mask of a layer by
    the layer's index.
    """
    skipped: list[Any] = list(decoder.layers[:first])
    for layer in skipped:
        layer.forward = _return_input
    try:
        yield
    finally:
        for layer in skipped:
            del layer.forward


def _return_input(hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:
    return hidden_states


def _groups_of_similar_length(cells: Sequence[Cell], tokens: int) -> list[list[Cell]]:
    """Groups of cells of one layer whose passes have similar lengths."""
    groups: dict[tuple[int, int], list[Cell]] = {}
    for cell in cells:
        length = math.floor(math.log(tokens - cell.token, LENGTH_RATIO))
        groups.setdefault((cell.layer, length), []).append(cell)
    return list(groups.values())


Targets = dict[tuple[str, int], tuple[list[int], list[int]]]
"""States to replace, by component and layer: rows of the batch, and tokens of them."""


def _by_layer(cells: Sequence[Cell], start: int) -> Targets:
    """The states to replace, one per row; tokens are counted from `start`."""
    targets: Targets = {}
    for row, cell in enumerate(cells):
        rows, tokens = targets.setdefault((cell.component, cell.layer), ([], []))
        rows.append(row)
        tokens.append(cell.token - start)
    return targets


def _put_means(
    means: dict[str, torch.Tensor],
    targets: Targets,
    name: str,
    layer: int,
    states: torch.Tensor,
) -> torch.Tensor | None:
    if (name, layer) not in targets:
        return None
    states = states.clone()
    states[targets[name, layer]] = means[name][layer].to(states.dtype)
    return states
