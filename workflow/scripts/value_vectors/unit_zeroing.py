"""Zeroing hidden units of MLPs at the last token, with many sets of units in one pass.

Each set is a query of the last token (`doubletake.model.packed_queries`).
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from doubletake.model.batch_memory import Widths, forward_bytes
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.packed_queries import last_token_states, query_bytes


@dataclass(frozen=True)
class Zeroing:
    """Set the activations of some units of one layer to 0; without units, nothing."""

    layer: int
    units: tuple[int, ...]


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

    def place(batch: Sequence[Zeroing]) -> AbstractContextManager[None]:
        return registered(_zeroing_hooks(decoder, batch, _packed))

    kept = partial(_kept_bytes, Widths.of(decoder))
    return last_token_states(decoder, ids, zeroings, place, kept, batch_memory, name)


def zeroing_bytes(widths: Widths, tokens: int, batch: Sequence[Zeroing]) -> float:
    """Peak memory of a batch of sets in addition to the model, in bytes.

    Args:
        widths: of the model.
        tokens: tokens of the sequence.
        batch: sets of units.
    """
    return query_bytes(widths, tokens, len(batch)) + _kept_bytes(widths, batch)


def _kept_bytes(widths: Widths, batch: Sequence[Zeroing]) -> float:
    """What the hooks keep of the units, in bytes."""
    layers = len({zeroing.layer for zeroing in batch})
    return len(batch) * layers * widths.mlp * widths.size


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
