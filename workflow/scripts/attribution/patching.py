"""Exact patching: replace one cell of a forward pass and run the model again.

A cell's replacement changes nothing in the layers before it and nothing at the tokens
before it. So one clean pass is kept, and a patched pass starts at the cell's layer and
token: with the clean states there, and with the clean keys and values of what stands
before the token.
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

from attribution.gradients import Decision, Metric, final_states
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, replaced

LIKE_LENGTH = 1.1  # how much longer than the shortest the longest of a batch may be


class Cell(NamedTuple):
    """One state of a forward pass."""

    part: str
    """`resid`, `attn_out` or `mlp_out`."""
    layer: int
    token: int


def cost_of(cell: Cell, tokens: int, n_layers: int) -> int:
    """Tokens times layers that patching the cell computes.

    Args:
        cell: what is patched.
        tokens: of the sequence.
        n_layers: of the model.
    """
    return (tokens - cell.token) * (n_layers - cell.layer)


@dataclass(frozen=True)
class _Clean:
    """What one pass over the sequence leaves."""

    resid: dict[int, torch.Tensor]
    """Input of some layers: [1, token, d_model]."""
    cache: DynamicCache
    """Keys and values of all tokens."""
    value: float
    """The metric."""


class _Prefix(DynamicLayer):
    """Keys and values of one layer, shared by all rows of a batch and never stored."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Both [1, head, token, d_head]."""
        super().__init__()
        self.keys, self.values = keys, values
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of the prefix, then the new ones; nothing is kept."""
        rows = len(key_states)
        return (
            torch.cat([self.keys.expand(rows, -1, -1, -1), key_states], dim=-2),
            torch.cat([self.values.expand(rows, -1, -1, -1), value_states], dim=-2),
        )


def patched(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cells: Sequence[Cell],
    batch_tokens: int,
) -> tuple[list[float], float]:
    """Exact change of a decision's metric when each cell alone is set to its mean.

    Cells of one layer at tokens close to each other go through the model side by side.

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
    clean = _clean_pass(decoder, metric, decision, {cell.layer for cell in cells})
    changes: dict[Cell, float] = {}
    for part in _like_cells(cells, len(decision.ids)):
        done = in_batches(
            part,
            partial(_patched_pass, decoder, metric, means, decision, clean),
            length=lambda cell: len(decision.ids) - cell.token,
            name=lambda cell: f"trace {decision.trace}, {cell}",
            batch_tokens=batch_tokens,
        )
        for batch, values in done:
            found = (value - clean.value for value in values)
            changes |= dict(zip(batch, found, strict=True))
    return [changes[cell] for cell in cells], clean.value


@torch.inference_mode()
def patched_plainly(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cell: Cell,
) -> float:
    """The metric with one cell set to its mean, by a full pass that reuses nothing."""
    ids = torch.tensor([decision.ids], device=decoder.device)
    with replaced(decoder, partial(_put_means, means, _by_layer([cell], 0))):
        states = final_states(decoder, ids, [decision])
        return metric(states, [decision]).item()


@torch.inference_mode()
def _clean_pass(
    decoder: Decoder, metric: Metric, decision: Decision, layers: set[int]
) -> _Clean:
    resid: dict[int, torch.Tensor] = {}

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        if name == "resid" and layer in layers:
            resid[layer] = states.clone()

    ids = torch.tensor([decision.ids], device=decoder.device)
    # Built without the config: layers with a sliding window must not drop keys.
    cache = DynamicCache()
    with hooked(decoder, keep):
        output = decoder.base(input_ids=ids, past_key_values=cache, use_cache=True)
    (value,) = metric(output.last_hidden_state[:, -1], [decision]).tolist()
    return _Clean(resid, cache, value)


@torch.inference_mode()
def _patched_pass(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    clean: _Clean,
    batch: list[Cell],
) -> list[float]:
    """The metric of cells of one layer, from their first token on."""
    layer, start = batch[0].layer, min(cell.token for cell in batch)
    states = clean.resid[layer][:, start:].expand(len(batch), -1, -1)
    places = torch.arange(start, len(decision.ids), device=decoder.device)
    cache = DynamicCache()
    cache.layers = [
        _Prefix(kept.keys[:, :, :start], kept.values[:, :, :start])
        for kept in clean.cache.layers
    ]
    change = partial(_put_means, means, _by_layer(batch, start))
    # Of a composite model, the decoder: the layers' parent.
    text = decoder.hf.get_submodule(decoder.layout.layers.rpartition(".")[0])
    with _starting_at(decoder, layer), replaced(decoder, change):
        output = text(
            inputs_embeds=states,
            position_ids=places[None],
            past_key_values=cache,
            use_cache=True,
        )
    last = output.last_hidden_state[:, -1]
    return metric(last, [decision] * len(batch)).tolist()


@contextmanager
def _starting_at(decoder: Decoder, first: int) -> Iterator[None]:
    """Let the layers before `first` hand on what they are given.

    They stay in their places, as a model finds a layer's mask by its place.
    """
    skipped: list[Any] = list(decoder.layers[:first])
    for layer in skipped:
        layer.forward = _hand_on
    try:
        yield
    finally:
        for layer in skipped:
            del layer.forward


def _hand_on(hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:
    return hidden_states


def _like_cells(cells: Sequence[Cell], tokens: int) -> list[list[Cell]]:
    """Cells of one layer each, whose passes are of like length."""
    groups: dict[tuple[int, int], list[Cell]] = {}
    for cell in cells:
        length = math.floor(math.log(tokens - cell.token, LIKE_LENGTH))
        groups.setdefault((cell.layer, length), []).append(cell)
    return list(groups.values())


Places = dict[tuple[str, int], tuple[list[int], list[int]]]
"""By part and layer: rows of the batch and tokens in them."""


def _by_layer(cells: Sequence[Cell], start: int) -> Places:
    """Where to put means; tokens are counted from `start`."""
    places: Places = {}
    for row, cell in enumerate(cells):
        rows, tokens = places.setdefault((cell.part, cell.layer), ([], []))
        rows.append(row)
        tokens.append(cell.token - start)
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
