"""Attention of single positions, read while the model attends: never a [T, T] matrix.

`reading` puts an attention function of its own into the model through the library's
public interface. It is given the queries and keys as the layer uses them (after bias,
norm and rotation), computes the softmax rows of the wanted positions beside the model's
own attention, and hands them on. The model's own attention stays what it was where that
needs no mask (the fast path); layers with a sliding window or capped scores attend in
blocks of queries, so that memory grows with the tokens and not with their square.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.norm_and_softcap import soft_capped
from doubletake.model.self_proof import PROOF_BOUND, PROOF_TOKENS
from doubletake.running.errors import InputError

KERNEL = "doubletake_rows"
QUERY_BLOCK = 128  # queries that attend at once where a mask is needed
ROW_BLOCK = 16  # wanted rows of a sequence computed at once
REFUSED = ("s_aux", "position_bias", "cache")  # what else may shape the weights


@dataclass(frozen=True)
class Rows:
    """Attention weights of some wanted positions of one sequence in one layer."""

    layer: int
    wanted: slice
    """Which of the batch's wanted positions, counted sequence by sequence."""
    positions: torch.Tensor
    """[row], their places in the sequence."""
    weights: torch.Tensor
    """[row, head, token], float32; tokens up to the last of `positions`, each row sums
    to 1."""
    reach: int | None
    """Tokens that the layer sees, the position's own included; None: all before."""


@dataclass(frozen=True)
class _Reader:
    wanted: Sequence[Sequence[int]]
    see: Callable[[Rows], None]

    def read(self, layer: int, heads: "_Heads") -> None:
        """Hand on the rows of every sequence."""
        done = 0
        for sequence, positions in enumerate(self.wanted):
            for first in range(0, len(positions), ROW_BLOCK):
                part = positions[first : first + ROW_BLOCK]
                wanted = slice(done + first, done + first + len(part))
                places = torch.tensor(part, device=heads.query.device)
                weights = heads.rows(sequence, places, max(part) + 1)
                self.see(Rows(layer, wanted, places, weights, heads.reach))
            done += len(positions)


_READER: ContextVar[_Reader] = ContextVar("reader")


@contextmanager
def reading(
    decoder: Decoder, wanted: Sequence[Sequence[int]], see: Callable[[Rows], None]
) -> Iterator[None]:
    """Read attention rows in the forward passes inside the block.

    The passes take right-padded token ids without a mask (`passes.padded`) and keep no
    cache of keys and values.

    Args:
        decoder: the model; outside the block it attends as it did.
        wanted: positions of every sequence of the batch.
        see: called for every layer and up to `ROW_BLOCK` positions of a sequence.

    Raises:
        InputError: the model's attention cannot be read; names the architecture.
    """
    AttentionInterface.register(KERNEL, _attend)
    AttentionMaskInterface.register(KERNEL, _reach)
    token = _READER.set(_Reader(wanted, see))
    try:
        decoder.hf.set_attn_implementation(KERNEL)
        if decoder.config._attn_implementation != KERNEL:
            raise InputError(
                f"{decoder.settings.source}: attention of the architecture "
                f"{decoder.config.model_type!r} cannot be read: it does not go through "
                "the library's attention interface"
            )
        yield
    finally:
        decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
        _READER.reset(token)


@contextmanager
def eager(decoder: Decoder) -> Iterator[None]:
    """Let the model attend by the library's reference code inside the block."""
    decoder.hf.set_attn_implementation("eager")
    try:
        yield
    finally:
        decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)


@torch.inference_mode()
def eager_weights(decoder: Decoder, ids: Sequence[int]) -> torch.Tensor:
    """Attention of a sequence's last position by the library's reference code.

    Takes memory with the square of the tokens, one layer at a time: for checks.

    Returns:
        [layer, head, token], float32, on the CPU.
    """
    found: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        found.append(output[1][0, :, -1].float().cpu())

    modules = [decoder.attention(layer) for layer in range(decoder.n_layers)]
    hooks = registered(module.register_forward_hook(keep) for module in modules)
    with hooks, eager(decoder):
        decoder.base(
            input_ids=torch.tensor([ids], device=decoder.device), use_cache=False
        )
    return torch.stack(found)


@torch.inference_mode()
def prove_rows(decoder: Decoder) -> None:
    """Compare the rows of a short sequence with the library's reference code.

    Raises:
        InputError: they differ by more than the self-proof's bound; names the
            architecture.
    """
    ids = torch.arange(1, PROOF_TOKENS + 1).mul(7919)
    ids = ids.remainder(decoder.embed.weight.shape[0])
    found: list[torch.Tensor] = []
    with reading(
        decoder, [[PROOF_TOKENS - 1]], lambda rows: found.append(rows.weights[0])
    ):
        decoder.base(input_ids=ids[None].to(decoder.device), use_cache=False)
    wanted = eager_weights(decoder, ids.tolist())
    bound = PROOF_BOUND[decoder.settings.dtype]
    error = (torch.stack(found).cpu() - wanted).abs().max().item()
    if not error <= bound:
        raise InputError(
            f"{decoder.settings.source}: attention of the architecture "
            f"{decoder.config.model_type!r} cannot be read: rows differ from its "
            f"eager weights by {error:.2g} in {decoder.settings.dtype} (bound {bound})"
        )


def _reach(
    *,
    q_length: int,
    kv_length: int,
    local_size: int | None = None,
    attention_mask: torch.Tensor | None = None,
    **_: Any,
) -> int | None:
    """Stand-in for a mask: the number of tokens a query sees, None for all before.

    The library asks for a mask where it knows a layer's window, and hands what it gets
    to the attention function as it is.
    """
    if attention_mask is not None or q_length != kv_length:
        raise ValueError("attention is read without masks and caches")
    return local_size


@dataclass(frozen=True)
class _Heads:
    """Queries and keys of one layer, and how it turns them into weights."""

    query: torch.Tensor
    """[sequence, head, token, d_head]."""
    key: torch.Tensor
    """[sequence, key head, token, d_head]; a key head serves as many heads in a row."""
    scaling: float
    softcap: float | None
    reach: int | None

    def scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Scores before the mask: [..., key head, query, key]."""
        scores = query @ key.transpose(-1, -2) * self.scaling
        return soft_capped(scores, self.softcap)

    def hidden(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Which keys a query does not see: [query, key], from their places."""
        ahead = keys > queries[:, None]
        if self.reach is None:
            return ahead
        return ahead | (keys <= queries[:, None] - self.reach)

    def rows(self, sequence: int, places: torch.Tensor, tokens: int) -> torch.Tensor:
        """Weights of some queries over the first tokens: [row, head, token]."""
        key = self.key[sequence, :, :tokens].float()
        query = self.query[sequence, :, places].float()  # [head, row, d_head]
        heads, rows, width = query.shape
        grouped = query.reshape(len(key), -1, width)  # rows of a key head's heads
        scores = self.scores(grouped, key).view(heads, rows, tokens)
        hidden = self.hidden(places, torch.arange(tokens, device=places.device))
        weights = scores.masked_fill_(hidden, -torch.inf).softmax(-1)
        return weights.transpose(0, 1)

    def attend(self, value: torch.Tensor) -> torch.Tensor:
        """What the layer's attention gives, in blocks of queries.

        Args:
            value: [sequence, key head, token, d_head].

        Returns:
            [sequence, token, head, d_head].
        """
        batch, heads, tokens, _ = self.query.shape
        output = self.query.new_empty(batch, tokens, heads, value.shape[-1])
        places = torch.arange(tokens, device=value.device)
        for start in range(0, tokens, QUERY_BLOCK):
            stop = min(start + QUERY_BLOCK, tokens)
            first = 0 if self.reach is None else max(0, start + 1 - self.reach)
            hidden = self.hidden(places[start:stop], places[first:stop])
            parts = (
                self.query[:, :, start:stop],
                self.key[:, :, first:stop],
                value[:, :, first:stop],
            )
            block = self._block(*parts, hidden)
            output[:, start:stop] = block.transpose(1, 2)
        return output

    def _block(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        hidden: torch.Tensor,
    ) -> torch.Tensor:
        """Attention of some queries: [sequence, head, query, d_head]."""
        if self.softcap is None:
            return scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=~hidden,
                scale=self.scaling,
                enable_gqa=query.shape[1] != key.shape[1],
            )
        batch, heads, queries, width = query.shape
        grouped = query.reshape(batch, key.shape[1], -1, width)
        scores = self.scores(grouped, key).view(batch, heads, queries, -1)
        scores = scores.masked_fill_(hidden, -torch.inf)
        weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
        mixed = weights.view(batch, key.shape[1], -1, key.shape[2]) @ value
        return mixed.view(batch, heads, queries, -1)


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: int | None,
    scaling: float | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function: reads the wanted rows, attends as the model does."""
    strange = [name for name in REFUSED if others.get(name) is not None]
    if strange:
        raise InputError(
            f"attention of the architecture {module.config.model_type!r} cannot be "
            f"read: its weights depend on {strange[0]}"
        )
    width = query.shape[-1]
    scaling = width**-0.5 if scaling is None else scaling
    heads = _Heads(query, key, scaling, softcap, attention_mask)
    _READER.get().read(module.layer_idx, heads)
    if softcap is None and (attention_mask is None or attention_mask >= key.shape[2]):
        return sdpa_attention_forward(
            module, query, key, value, None, scaling=scaling, **others
        )
    return heads.attend(value), None
