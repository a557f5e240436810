"""Zeroing hidden units of MLPs at the last token, with many sets of units in one pass.

The tokens before the last one are read once. The last token is then read by many
queries, all at its position, each with another set of units zeroed. A mask hides the
queries from each other. The result is exact: nothing before the last token changes, so
its keys and values are those of a plain pass.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle
from transformers import DynamicCache

from doubletake.model.architectures import attention_windows
from doubletake.model.batch_memory import (
    Widths,
    cache_bytes,
    forward_bytes,
    reading_bytes,
)
from doubletake.model.batches import in_batches, run_alone
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered

# The cost of attention grows with the square of this number, which no model notices.
QUERIES_AT_ONCE = 256


@dataclass(frozen=True)
class Zeroing:
    """Set the activations of some units of one layer to 0; without units, nothing."""

    layer: int
    units: tuple[int, ...]


@torch.inference_mode()
def zeroed_states(
    decoder: Decoder,
    ids: Sequence[int],
    zeroings: Sequence[Zeroing],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """Final states of the last token with each set zeroed, from one shared prefix.

    Args:
        decoder: the model.
        ids: token ids of the sequence; units are zeroed at the last one.
        zeroings: each is applied alone.
        batch_memory: memory for a batch in addition to the model, in GiB.
        name: what to call the sequence in a message.

    Returns:
        [zeroing, d_model], after the final norm, float32, on the CPU.
    """
    if len(ids) == 1:
        return full_pass_states(decoder, ids, zeroings, batch_memory, name)
    # No config here: with it, layers with a sliding window would drop keys.
    prefix = DynamicCache()
    start = torch.tensor([ids[:-1]], device=decoder.device)
    w, tokens = Widths.of(decoder), len(ids)
    run_alone(
        lambda: decoder.base(input_ids=start, past_key_values=prefix, use_cache=True),
        name=name,
        tokens=tokens,
        need=cache_bytes(w, tokens) + forward_bytes(w, 1, tokens),
        batch_memory=batch_memory,
    )
    states = [
        states
        for first in range(0, len(zeroings), QUERIES_AT_ONCE)
        for _, states in in_batches(
            zeroings[first : first + QUERIES_AT_ONCE],
            partial(_last_token_states, decoder, prefix, ids),
            length=lambda _: tokens,
            name=lambda _: name,
            need=lambda batch: zeroing_bytes(w, tokens, batch),
            batch_memory=batch_memory,
        )
    ]
    return torch.cat(states)


def zeroing_bytes(widths: Widths, tokens: int, batch: Sequence[Zeroing]) -> float:
    """Peak memory of `_last_token_states` in addition to the model, in bytes.

    The prefix, its copy with the queries, and what is kept of the units come on top of
    the pass.

    Args:
        widths: of the model.
        tokens: tokens of the sequence.
        batch: sets of units.
    """
    queries = len(batch)
    caches = 2 * cache_bytes(widths, tokens) + cache_bytes(widths, queries)
    layers = len({zeroing.layer for zeroing in batch})
    units = queries * layers * widths.mlp * widths.size
    mask = queries * (tokens + queries) * widths.size
    attention = reading_bytes(widths, 1, queries, tokens + queries)
    return caches + units + max(attention, mask + forward_bytes(widths, 1, queries))


def _last_token_states(
    decoder: Decoder, prefix: DynamicCache, ids: Sequence[int], batch: list[Zeroing]
) -> torch.Tensor:
    """Final states of the last token with each set zeroed: [zeroing, d_model].

    Args:
        decoder: the model.
        prefix: cache of all tokens before the last one; a copy is read.
        ids: token ids of the whole sequence.
        batch: each is applied alone.
    """
    queries = torch.full((1, len(batch)), ids[-1], device=decoder.device)
    with registered(_zeroing_hooks(decoder, batch, _packed)):
        output = decoder.base(
            input_ids=queries,
            position_ids=torch.full_like(queries, len(ids) - 1),
            attention_mask=_masks(decoder, len(ids), len(batch)),
            past_key_values=copy.deepcopy(prefix),
            use_cache=True,
        )
    return output.last_hidden_state[0].float().cpu()


def _masks(
    decoder: Decoder, length: int, queries: int
) -> torch.Tensor | dict[str, torch.Tensor]:
    """One additive mask for all layers, or one for each type of layer.

    A query sees itself and the tokens before it that are in the layer's window. Float
    and not bool, because eager attention adds the mask to its scores.

    Args:
        decoder: the model.
        length: number of tokens with the last one.
        queries: number of copies of the last token.

    Returns:
        [1, 1, query, key]; keys are the tokens before the last one and the queries.
    """

    def mask(window: int | None) -> torch.Tensor:
        hidden = torch.finfo(decoder.dtype).min
        scores = torch.full((queries, length - 1 + queries), hidden)
        scores[:, 0 if window is None else max(0, length - window) : length - 1] = 0
        scores[:, length - 1 :].fill_diagonal_(0)
        return scores.to(decoder.device, decoder.dtype)[None, None]

    windows = attention_windows(decoder.config)
    if len(windows) == 1:
        return mask(*windows.values())
    return {kind: mask(window) for kind, window in windows.items()}


@torch.inference_mode()
def full_pass_states(
    decoder: Decoder,
    ids: Sequence[int],
    zeroings: Sequence[Zeroing],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """The same as `zeroed_states`, from full forward passes that share nothing."""
    w = Widths.of(decoder)

    def run(batch: list[Zeroing]) -> torch.Tensor:
        tokens = torch.tensor([list(ids)] * len(batch), device=decoder.device)
        with registered(_zeroing_hooks(decoder, batch, _batched)):
            output = decoder.base(input_ids=tokens, use_cache=False)
        return output.last_hidden_state[:, -1].float().cpu()

    passes = in_batches(
        zeroings,
        run,
        length=lambda _: len(ids),
        name=lambda _: name,
        need=lambda batch: forward_bytes(w, len(batch), len(ids)),
        batch_memory=batch_memory,
    )
    return torch.cat([states for _, states in passes])


def _zeroing_hooks(
    decoder: Decoder, batch: Sequence[Zeroing], hook_of: Any
) -> Iterator[RemovableHandle]:
    """Hooks that zero units of every layer that the batch names.

    Args:
        decoder: the model.
        batch: each is applied to one sequence or query alone.
        hook_of: makes a hook from a tensor [zeroing, unit] that is 0 at the units.
    """
    for layer in sorted({zeroing.layer for zeroing in batch}):
        down = decoder.mlp_down(layer)
        kept = torch.ones(len(batch), down.in_features)
        for row, zeroing in enumerate(batch):
            if zeroing.layer == layer:
                kept[row, list(zeroing.units)] = 0
        hook = hook_of(kept.to(decoder.device, decoder.dtype))
        yield down.register_forward_pre_hook(hook)


def _packed(kept: torch.Tensor) -> Any:
    """A hook on inputs [1, query, unit]: row k of `kept` belongs to query k."""
    return lambda _, inputs: (inputs[0] * kept,)


def _batched(kept: torch.Tensor) -> Any:
    """A hook on inputs [sequence, token, unit]: only the last tokens change."""

    def hook(_: Any, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        states = inputs[0].clone()
        states[:, -1] *= kept
        return (states,)

    return hook
