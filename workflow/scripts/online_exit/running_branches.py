"""Branches of completions that are still being decoded: looks that leave no trace.

The keys and values of a completion up to the cut are copied from the batch under way.
What the branch reads and says lies in the copy, so the completion goes on as if nobody
had looked. The last token before the cut is read again, because the newest token of a
completion has no keys yet, and because its state is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from doubletake.model.batch_memory import GIB, Widths, cache_bytes, forward_bytes
from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation, GrowingContinuations
from doubletake.model.decoder import Decoder
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.hooks import hooked
from doubletake.model.slots import Slots


@dataclass(frozen=True)
class Look:
    """A branch of the completion in one slot."""

    slot: int
    ids: Sequence[int]
    """Token ids of prompt and completion, up to the cut at least."""
    branch: Branch
    """Its suffix may be empty, and `max_tokens` 0: then nothing is decoded."""

    @property
    def reused(self) -> int:
        """Number of tokens whose keys and values are copied."""
        return self.branch.cut - 1

    @property
    def own(self) -> list[int]:
        """Tokens that the branch reads at once."""
        return [self.ids[self.branch.cut - 1], *self.branch.suffix]

    @property
    def form(self) -> tuple[int, int, tuple[int, ...]]:
        """Looks of the same form are computed together."""
        return len(self.branch.suffix), self.branch.max_tokens, self.branch.kept


def continue_running(
    decoder: Decoder, slots: Slots, looks: Sequence[Look], batch_memory: float
) -> list[Continuation]:
    """Continue branches of the completions under way, which stay as they are.

    Args:
        decoder: the model.
        slots: the completions.
        looks: what to compute.
        batch_memory: memory for the branches in addition to model and slots, in GiB.

    Returns:
        One continuation per look.
    """
    found: dict[int, Continuation] = {}
    for numbers in _batches(decoder, looks, batch_memory):
        batch = [looks[number] for number in numbers]
        said = _Batch(decoder, slots, batch).continuations()
        found |= dict(zip(numbers, said, strict=True))
    return [found[number] for number in range(len(looks))]


def _batches(
    decoder: Decoder, looks: Sequence[Look], batch_memory: float
) -> Iterator[list[int]]:
    """Numbers of looks of the same form whose branches fit into memory together."""
    widths = Widths.of(decoder)
    forms: dict[tuple[int, int, tuple[int, ...]], list[int]] = {}
    for number, look in enumerate(looks):
        forms.setdefault(look.form, []).append(number)
    for numbers in forms.values():
        longest = max(looks[number].branch.cut for number in numbers)
        own = len(looks[numbers[0]].own)
        keys = longest + own + looks[numbers[0]].branch.max_tokens
        need = 2 * cache_bytes(widths, keys) + forward_bytes(widths, 1, own)
        size = max(1, int(batch_memory * GIB / need))
        for start in range(0, len(numbers), size):
            yield numbers[start : start + size]


class _Batch:
    """Branches of the same form, one per row, aligned where their own tokens begin."""

    def __init__(self, decoder: Decoder, slots: Slots, looks: list[Look]) -> None:
        """Copy the keys and values before the branches."""
        self.decoder, self.looks = decoder, looks
        device = decoder.device
        reused = torch.tensor([look.reused for look in looks], device=device)
        slot = torch.tensor([look.slot for look in looks], device=device)
        width = max(look.reused for look in looks)
        # Left-padded, so the library's masks see no gap inside a row.
        columns = torch.arange(width, device=device) - (width - reused)[:, None]
        self.positions = reused
        self.mask = (columns >= 0).long()
        columns = (columns + slots.cache.starts[slot][:, None]).clamp(min=0)
        self.cache = DynamicCache()
        self.cache.layer_class_to_replicate = GrowingLayer
        for index, layer in enumerate(slots.cache.layers):
            keys, values = (
                whole[slot[:, None], :, columns].transpose(1, 2)
                for whole in (layer.keys, layer.values)
            )
            self.cache.update(keys, values, index)

    @torch.inference_mode()
    def continuations(self) -> list[Continuation]:
        """Read what the branches read, then decode."""
        branches = [look.branch for look in self.looks]
        growth = GrowingContinuations(self.decoder, branches)
        kept: list[torch.Tensor] = []
        places = [("resid", layer) for layer in branches[0].kept]

        def keep(_: str, __: int, states: torch.Tensor) -> None:
            kept.append(states[:, 0])

        with hooked(self.decoder, keep, places):
            states = self._read([look.own for look in self.looks])
        if kept:
            for row, own in enumerate(torch.stack(kept, dim=1).cpu()):
                growth.continuations[row].states = own
        growth.watch(
            [
                states[row, watch.place]
                for row, branch in enumerate(branches)
                for watch in branch.watched
            ]
        )
        active = list(range(len(branches))) if branches[0].max_tokens else []
        rows, last = active, states[:, -1]  # the branch of each row
        while active and (active := growth.add_tokens(active, last)):
            if 2 * len(active) <= len(rows):
                self._keep_rows([rows.index(number) for number in active])
                rows = active
            tokens = [growth.continuations[number].tokens[-1:] for number in rows]
            states = self._read(tokens)[:, -1]
            places_of = {number: row for row, number in enumerate(rows)}
            last = states[[places_of[number] for number in active]]
        return growth.continuations

    def _read(self, tokens: list[list[int]]) -> torch.Tensor:
        """Read the next tokens of all rows; final states `[row, token, d_model]`."""
        device = self.decoder.device
        ids = torch.tensor(tokens, device=device)
        own = torch.arange(ids.shape[1], device=device)
        self.mask = torch.cat([self.mask, torch.ones_like(ids)], 1)
        output = self.decoder.base(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=self.positions[:, None] + own,
            past_key_values=self.cache,
            use_cache=True,
        )
        self.positions = self.positions + ids.shape[1]
        return output.last_hidden_state

    def _keep_rows(self, rows: list[int]) -> None:
        index = torch.tensor(rows, device=self.decoder.device)
        for layer in self.cache.layers:
            layer.replace(layer.keys[index], layer.values[index])
        self.mask, self.positions = self.mask[index], self.positions[index]
