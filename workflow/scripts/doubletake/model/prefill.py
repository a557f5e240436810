"""Reads texts in one pass, left-padded; a text that several completions share once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from transformers import DynamicCache, PreTrainedModel


class Read(NamedTuple):
    """What one pass over left-padded texts gives."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    """Keys and values [text, head, width, d] of each layer."""
    lengths: torch.Tensor
    """Tokens of each text, [text], on the CPU."""
    width: int
    """Positions of the pass: tokens of the longest text."""
    logits: torch.Tensor
    """Of the last token of each text, [text, vocabulary]."""


def read_left_padded(
    model: PreTrainedModel, texts: Sequence[Sequence[int]], width: int
) -> Read:
    """Read texts in one pass.

    Args:
        model: the plain model of transformers.
        texts: token ids, at least one for each text.
        width: number of positions, at least that of the longest text.
    """
    ids = torch.zeros((len(texts), width), dtype=torch.long)
    lengths = torch.tensor([len(text) for text in texts])
    for row, text in enumerate(texts):
        ids[row, width - len(text) :] = torch.tensor(text)
    positions = torch.arange(width) - (width - lengths)[:, None]
    cache = DynamicCache()
    output = model(
        input_ids=ids.to(model.device),
        attention_mask=(positions >= 0).long().to(model.device),
        position_ids=positions.clamp(min=0).to(model.device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    layers = [(layer.keys, layer.values) for layer in cache.layers]
    return Read(layers, lengths, width, output.logits[:, -1])


@dataclass(frozen=True)
class Prefix:
    """A text with its keys and values, for the next completions that begin with it."""

    text: tuple[int, ...]
    layers: list[tuple[torch.Tensor, torch.Tensor]]
    """Keys and values [1, head, token, d] of each layer."""

    @classmethod
    def of(cls, read: Read, row: int, text: tuple[int, ...]) -> "Prefix":
        """A copy of one text of a pass."""
        own, first = slice(row, row + 1), read.width - len(text)
        return cls(
            text,
            [
                (keys[own, :, first:].clone(), values[own, :, first:].clone())
                for keys, values in read.layers
            ],
        )
