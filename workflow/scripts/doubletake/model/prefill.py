"""Reads texts in one pass, left-padded; a text that several completions share once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from transformers import DynamicCache, PreTrainedModel

from doubletake.model.aligned_cache import AlignedCache, Layers

Text = tuple[int, ...]


class Read(NamedTuple):
    """What one pass over left-padded texts gives."""

    layers: Layers
    """Of the texts, aligned at their right end."""
    lengths: torch.Tensor
    """Tokens of each text, [text], on the CPU."""
    width: int
    """Positions of the pass: tokens of the longest text."""
    logits: torch.Tensor
    """Of the last token of each text, [text, vocabulary]."""


def read_left_padded(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> Read:
    """Read texts in one pass.

    Args:
        model: the plain model of transformers.
        texts: token ids, at least one for each text.
    """
    width = max(map(len, texts))
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
class _Kept:
    """A text with its keys and values, for the next completions that begin with it."""

    text: Text
    layers: Layers
    """Of this text alone."""


class SharedTexts:
    """Gives slots the keys and values of texts; slots with equal texts share a pass."""

    def __init__(self, model: PreTrainedModel) -> None:
        """Nothing is read."""
        self.model = model
        self._kept: _Kept | None = None

    def fill(
        self, cache: AlignedCache, texts: dict[int, Text], following: Text | None
    ) -> int:
        """Fill slots of a cache, for which there must be room.

        Args:
            cache: of the slots.
            texts: token ids by slot; an empty text needs no keys.
            following: the text of the next request that waits. Where it is one of these
                texts, it is kept for the next call.

        Returns:
            Number of tokens that were read.
        """
        slots_of: dict[Text, list[int]] = {}
        for slot, text in texts.items():
            slots_of.setdefault(text, []).append(slot)
        cache.clear(slots_of.pop((), []))
        kept, self._kept = self._kept, None
        if kept is not None and kept.text in slots_of:
            slots = slots_of.pop(kept.text)
            length = torch.tensor([len(kept.text)])
            cache.copy(slots, kept.layers, [0] * len(slots), length)
            self._kept = kept if kept.text == following else None
        if not slots_of:
            return 0
        new = list(slots_of)
        read = read_left_padded(self.model, new)
        pairs = [(slot, row) for row, own in enumerate(new) for slot in slots_of[own]]
        filled, rows = zip(*pairs, strict=True)
        cache.copy(filled, read.layers, rows, read.lengths)
        if following in slots_of:
            own, first = new.index(following), read.width - len(following)
            self._kept = _Kept(following, _one_text(read.layers, own, first))
        return int(read.lengths.sum())


def _one_text(layers: Layers, row: int, first: int) -> Layers:
    """A copy of the keys and values of one text, from its first position on."""
    own = slice(row, row + 1)
    return [
        (keys[own, :, first:].clone(), values[own, :, first:].clone())
        for keys, values in layers
    ]
