"""Scaling hidden units of MLPs at the last token, with many scalings in one batch.

The tokens before the last one are read once. The last token is read in a batch that has
one row for each scaling. The result is exact: nothing before the last token changes, so
its keys and values are those of an unscaled pass.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle
from transformers import DynamicCache

from doubletake.model.batch_memory import cached_tokens, forward_tokens
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered


@dataclass(frozen=True)
class Scaling:
    """Multiply the activations of some units of one layer."""

    layer: int
    units: tuple[int, ...]
    factor: float


@torch.inference_mode()
def scaled_states(
    decoder: Decoder,
    ids: Sequence[int],
    scalings: Sequence[Scaling],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """Final states of the last token under each scaling, from one shared prefix.

    Args:
        decoder: the model.
        ids: token ids of the sequence; units are scaled at the last one.
        scalings: each is applied alone.
        batch_memory: memory for a batch in addition to the model, in GiB.
        name: what to call the sequence in a message.

    Returns:
        [scaling, d_model], after the final norm, float32, on the CPU.
    """
    if len(ids) == 1:
        return full_pass_states(decoder, ids, scalings, batch_memory, name)
    # No config here: with it, layers with a sliding window would drop keys.
    prefix = DynamicCache()
    start = torch.tensor([ids[:-1]], device=decoder.device)
    decoder.base(input_ids=start, past_key_values=prefix, use_cache=True)
    passes = in_batches(
        scalings,
        partial(_last_token_states, decoder, prefix, ids),
        length=lambda _: len(ids),
        name=lambda _: name,
        batch_tokens=cached_tokens(decoder, batch_memory),
    )
    return torch.cat([states for _, states in passes])


def _last_token_states(
    decoder: Decoder, prefix: DynamicCache, ids: Sequence[int], batch: list[Scaling]
) -> torch.Tensor:
    """Final states of the last token under each scaling: [scaling, d_model].

    The tokens before the last one are read from a copy of the cache.

    Args:
        decoder: the model.
        prefix: cache of all tokens before the last one.
        ids: token ids of the whole sequence.
        batch: scalings; each is applied alone.
    """
    cache = copy.deepcopy(prefix)
    cache.batch_repeat_interleave(len(batch))
    last = torch.tensor([[ids[-1]]] * len(batch), device=decoder.device)
    position_ids = torch.full_like(last, len(ids) - 1)
    with registered(_scaling_hooks(decoder, batch)):
        output = decoder.base(
            input_ids=last,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
        )
    return output.last_hidden_state[:, -1].float().cpu()


@torch.inference_mode()
def full_pass_states(
    decoder: Decoder,
    ids: Sequence[int],
    scalings: Sequence[Scaling],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """The same as `scaled_states`, from full forward passes that share nothing."""

    def run(batch: list[Scaling]) -> torch.Tensor:
        tokens = torch.tensor([list(ids)] * len(batch), device=decoder.device)
        with registered(_scaling_hooks(decoder, batch)):
            output = decoder.base(input_ids=tokens, use_cache=False)
        return output.last_hidden_state[:, -1].float().cpu()

    passes = in_batches(
        scalings,
        run,
        length=lambda _: len(ids),
        name=lambda _: name,
        batch_tokens=forward_tokens(decoder, batch_memory),
    )
    return torch.cat([states for _, states in passes])


def _scaling_hooks(
    decoder: Decoder, batch: Sequence[Scaling]
) -> Iterator[RemovableHandle]:
    """Hooks that scale units at the last token, row k of the batch by scaling k."""
    for layer in sorted({scaling.layer for scaling in batch}):
        down = decoder.mlp_down(layer)
        factors = torch.ones(
            len(batch), down.in_features, dtype=decoder.dtype, device=decoder.device
        )
        for row, scaling in enumerate(batch):
            if scaling.layer == layer:
                factors[row, list(scaling.units)] = scaling.factor
        yield down.register_forward_pre_hook(_multiply_last(factors))


def _multiply_last(factors: torch.Tensor) -> Any:
    def hook(_: Any, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        states = inputs[0].clone()
        states[:, -1] *= factors
        return (states,)

    return hook
