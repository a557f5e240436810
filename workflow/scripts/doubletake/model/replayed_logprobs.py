"""Log-probs of completions under the plain model, without any intervention.

Completions of one prompt share its keys and values, so the prompt is read once. A
prompt with one completion is read together with it, in a padded batch.
"""

from collections.abc import Sequence

import torch
from transformers import DynamicCache

from doubletake.model.batch_memory import (
    Widths,
    cache_bytes,
    forward_bytes,
    reading_bytes,
    unembedding_bytes,
)
from doubletake.model.batches import in_batches, padded
from doubletake.model.decoder import Decoder
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.lens import Lens

PADDING = 0.25
"""Largest share of padding in a batch."""
Ids = tuple[int, ...]


@torch.inference_mode()
def replayed(
    decoder: Decoder,
    completions: Sequence[tuple[Sequence[int], Sequence[int]]],
    batch_memory: float,
) -> list[torch.Tensor]:
    """Log-probs of the tokens of completions, at temperature 1.

    Args:
        decoder: the model.
        completions: token ids of a prompt, at least one, and of what follows it. Equal
            ones are computed once.
        batch_memory: memory in addition to the model, in GiB.

    Returns:
        Per completion [token], float32, nats, on the CPU.

    Raises:
        InputError: a single completion does not fit into memory.
    """
    by_prompt: dict[Ids, dict[Ids, None]] = {}
    for prompt, ids in completions:
        by_prompt.setdefault(tuple(prompt), {})[tuple(ids)] = None
    replay = _Replay(decoder, batch_memory)
    found: dict[tuple[Ids, Ids], torch.Tensor] = {}
    alone: list[tuple[Ids, Ids]] = []
    for prompt, several in by_prompt.items():
        whole = [ids for ids in several if ids]
        if len(whole) > 1:
            said = replay.with_shared_prompt(prompt, whole)
            found |= {(prompt, ids): own for ids, own in said.items()}
        else:
            alone += [(prompt, ids) for ids in whole]
    found |= replay.alone(alone)
    return [
        found.get((tuple(prompt), tuple(ids)), torch.zeros(0))
        for prompt, ids in completions
    ]


class _Replay:
    """Reads completions in batches."""

    def __init__(self, decoder: Decoder, batch_memory: float) -> None:
        self.decoder, self.batch_memory = decoder, batch_memory
        self.lens, self.widths = Lens.of(decoder), Widths.of(decoder)

    def alone(
        self, pairs: list[tuple[Ids, Ids]]
    ) -> dict[tuple[Ids, Ids], torch.Tensor]:
        """Log-probs of completions of different prompts."""
        found: dict[tuple[Ids, Ids], torch.Tensor] = {}
        for batch, said in in_batches(
            pairs,
            self._read_whole,
            length=lambda pair: len(pair[0]) + len(pair[1]),
            name=lambda pair: f"completion of {len(pair[1])} tokens",
            need=lambda batch: self._need(len(batch), 0, sum(map(len, batch[0]))),
            batch_memory=self.batch_memory,
            padding=PADDING,
        ):
            found |= dict(zip(batch, said, strict=True))
        return found

    def with_shared_prompt(
        self, prompt: Ids, completions: list[Ids]
    ) -> dict[Ids, torch.Tensor]:
        """Log-probs of completions of one prompt."""
        cache = self._cache()
        output = self.decoder.base(
            input_ids=padded([prompt]).to(self.decoder.device),
            past_key_values=cache,
            use_cache=True,
        )
        last = output.last_hidden_state[:, -1:]
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        found: dict[Ids, torch.Tensor] = {}
        for batch, said in in_batches(
            completions,
            lambda batch: self._read_after(layers, last, batch),
            length=len,
            name=lambda ids: f"completion of {len(ids)} tokens",
            need=lambda batch: self._need(len(batch), len(prompt), len(batch[0])),
            batch_memory=self.batch_memory,
            padding=PADDING,
        ):
            found |= dict(zip(batch, said, strict=True))
        return found

    def _read_whole(self, pairs: list[tuple[Ids, Ids]]) -> list[torch.Tensor]:
        ids = padded([prompt + own for prompt, own in pairs]).to(self.decoder.device)
        states = self.decoder.base(input_ids=ids, use_cache=False).last_hidden_state
        return [
            self._logprobs(states[row, len(prompt) - 1 :], own)
            for row, (prompt, own) in enumerate(pairs)
        ]

    def _read_after(
        self,
        layers: list[tuple[torch.Tensor, torch.Tensor]],
        last: torch.Tensor,
        completions: list[Ids],
    ) -> list[torch.Tensor]:
        """Read completions after a prompt.

        Args:
            layers: keys and values of the prompt, [1, head, token, d] in each layer.
            last: [1, 1, d_model], final state of the prompt.
            completions: token ids, at least one for each.
        """
        states = last.expand(len(completions), -1, -1)
        if max(map(len, completions)) > 1:
            cache = self._cache()
            for index, (keys, values) in enumerate(layers):
                cache.update(keys, values, index)
                # The buffer that the layer makes next has a copy for each row.
                cache.layers[index].replace(keys, values)
            output = self.decoder.base(
                input_ids=padded([ids[:-1] for ids in completions]).to(last.device),
                past_key_values=cache,
                use_cache=True,
            )
            states = torch.cat([states, output.last_hidden_state], 1)
        return [self._logprobs(states[row], ids) for row, ids in enumerate(completions)]

    def _logprobs(self, states: torch.Tensor, ids: Ids) -> torch.Tensor:
        """Log-probs of tokens from the final states before them, [token or more, d]."""
        targets = torch.tensor(ids, device=states.device)
        return self.lens.logprobs(states[: len(ids)], targets).cpu()

    def _cache(self) -> DynamicCache:
        # No config here: with it, layers with a sliding window would drop keys.
        cache = DynamicCache()
        cache.layer_class_to_replicate = GrowingLayer
        return cache

    def _need(self, count: int, cached: int, length: int) -> float:
        """Bytes of a batch.

        Args:
            count: number of sequences.
            cached: tokens of the prompt that they share.
            length: tokens of the longest sequence after it.
        """
        w = self.widths
        logits = unembedding_bytes(length, w.vocabulary, w.size)
        if not cached:
            return forward_bytes(w, count, length) + logits
        keys = cached + length
        reading = reading_bytes(w, count, length, keys)
        return reading + count * cache_bytes(w, keys) + logits
