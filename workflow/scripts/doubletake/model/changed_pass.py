"""One clean pass of a sequence, and passes with changed states that start from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import Change, Place, hooked, replaced


@dataclass(frozen=True)
class CleanPass:
    """States of one clean pass over the sequence."""

    ids: list[int]
    """Token ids of the sequence."""

    resid: dict[int, torch.Tensor]
    """Input of the layers at which states change: [1, token, d_model]."""
    cache: DynamicCache
    """Keys and values of all tokens."""
    last: torch.Tensor
    """[1, d_model], the last token's state after the final norm."""


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


@torch.no_grad()
def clean_pass(decoder: Decoder, ids: list[int], layers: set[int]) -> CleanPass:
    """Run the sequence, and keep the inputs of these layers.

    Not in inference mode: a later pass may need gradients.
    """
    resid: dict[int, torch.Tensor] = {}

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        resid[layer] = states.clone()

    # No config here: with it, layers with a sliding window would drop keys.
    cache = DynamicCache()
    with hooked(decoder, keep, [("resid", layer) for layer in layers]):
        output = decoder.base(
            input_ids=torch.tensor([ids], device=decoder.device),
            past_key_values=cache,
            use_cache=True,
        )
    return CleanPass(ids, resid, cache, output.last_hidden_state[:, -1])


def changed_pass(
    decoder: Decoder,
    clean: CleanPass,
    layer: int,
    start: int,
    rows: int,
    change: Change,
    places: Sequence[Place],
) -> torch.Tensor:
    """The last token's final states, of several changed rows: [row, d_model].

    Only the layers from `layer` on and the tokens from `start` on are computed.

    Args:
        decoder: the model.
        clean: a clean pass that has kept this layer's input.
        layer: the first layer that is computed.
        start: the first token that is computed.
        rows: number of copies of the sequence.
        change: changes their states, as in `replaced`; tokens are counted from `start`.
        places: where states change.
    """
    states = clean.resid[layer][:, start:].expand(rows, -1, -1)
    positions = torch.arange(start, len(clean.ids), device=decoder.device)
    cache = DynamicCache()
    cache.layers = [
        _Prefix(kept.keys[:, :, :start], kept.values[:, :, :start])
        for kept in clean.cache.layers
    ]
    # The parent of the layers: in a composite model, this is its text decoder.
    text_decoder = decoder.hf.get_submodule(decoder.layout.layers.rpartition(".")[0])
    with _starting_at(decoder, layer), replaced(decoder, change, places):
        output = text_decoder(
            inputs_embeds=states,
            position_ids=positions[None],
            past_key_values=cache,
            use_cache=True,
        )
    return output.last_hidden_state[:, -1]


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
