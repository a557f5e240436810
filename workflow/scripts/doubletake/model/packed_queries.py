"""The last token of a sequence, read by many queries at once, each changed in its way.

The tokens before the last one are read once. The last token is then read by many
queries, all at its position, each with another change. A mask hides the queries from
each other. The result is exact: nothing before the last token changes, so its keys and
values are those of a plain pass.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

import torch
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

# The cost of attention grows with the square of this number, which no model notices.
QUERIES_AT_ONCE = 256

Variant = TypeVar("Variant")
Place = Callable[[Sequence[Variant]], AbstractContextManager[None]]
"""Inside it, the states [1, query, ...] of a batch of variants change: query k belongs
to variant k."""


@torch.inference_mode()
def last_token_states(
    decoder: Decoder,
    ids: Sequence[int],
    variants: Sequence[Variant],
    place: Place[Variant],
    kept: Callable[[Sequence[Variant]], float],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """Final states of the last token with each change, from one shared prefix.

    Args:
        decoder: the model.
        ids: token ids of the sequence; only the last one is changed.
        variants: each is applied alone.
        place: changes the states of a batch of variants.
        kept: what it holds, in bytes.
        batch_memory: memory for a batch in addition to the model, in GiB.
        name: what to call the sequence in a message.

    Returns:
        [variant, d_model], after the final norm, float32, on the CPU.
    """
    # No config here: with it, layers with a sliding window would drop keys.
    prefix = DynamicCache()
    start = torch.tensor([ids[:-1]], device=decoder.device)
    w, tokens = Widths.of(decoder), len(ids)
    if len(ids) > 1:
        run_alone(
            lambda: decoder.base(
                input_ids=start, past_key_values=prefix, use_cache=True
            ),
            name=name,
            tokens=tokens,
            need=cache_bytes(w, tokens) + forward_bytes(w, 1, tokens),
            batch_memory=batch_memory,
        )
    states = [
        states
        for first in range(0, len(variants), QUERIES_AT_ONCE)
        for _, states in in_batches(
            variants[first : first + QUERIES_AT_ONCE],
            partial(_read_last_token, decoder, prefix, ids, place),
            length=lambda _: tokens,
            name=lambda _: name,
            need=lambda batch: query_bytes(w, tokens, len(batch)) + kept(batch),
            batch_memory=batch_memory,
        )
    ]
    return torch.cat(states)


def query_bytes(widths: Widths, tokens: int, queries: int) -> float:
    """Peak memory of the queries in addition to the model and the changes, in bytes.

    The prefix and its copy with the queries come on top of the pass.

    Args:
        widths: of the model.
        tokens: tokens of the sequence.
        queries: copies of the last token.
    """
    caches = 2 * cache_bytes(widths, tokens) + cache_bytes(widths, queries)
    mask = queries * (tokens + queries) * widths.size
    attention = reading_bytes(widths, 1, queries, tokens + queries)
    return caches + max(attention, mask + forward_bytes(widths, 1, queries))


def _read_last_token(
    decoder: Decoder,
    prefix: DynamicCache,
    ids: Sequence[int],
    place: Place[Variant],
    batch: list[Variant],
) -> torch.Tensor:
    """Final states of the last token with each change: [variant, d_model].

    Args:
        decoder: the model.
        prefix: cache of all tokens before the last one; a copy is read.
        ids: token ids of the whole sequence.
        place: changes their states.
        batch: each is applied alone.
    """
    queries = torch.full((1, len(batch)), ids[-1], device=decoder.device)
    with place(batch):
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
