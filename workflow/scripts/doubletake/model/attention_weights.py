"""Attention weights of single positions, read during the model's own forward pass.

`reading_rows` registers an attention function through the library's public interface.
The function gets the queries and keys as the layer uses them (after bias, norm and
rotation). From them it computes the softmax rows of the requested positions and hands
these rows on. The [T, T] matrix of all weights is never built.

The model's output does not change. Layers without a mask keep the model's own fast
attention. Layers with a sliding window, capped scores or attention sinks attend in
blocks of queries, so that memory grows linearly with the tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, registered, replaced
from doubletake.model.queries_and_keys import QueriesAndKeys
from doubletake.model.self_proof import PROOF_BOUND, PROOF_TOKENS
from doubletake.running.errors import InputError

KERNEL = "doubletake_rows"
ROW_BLOCK = 16  # positions of a sequence whose rows are computed at once
UNSUPPORTED = ("position_bias", "cache")  # arguments that change the weights


@dataclass(frozen=True)
class AttentionRows:
    """Attention weights of some positions of one sequence in one layer."""

    layer: int
    in_batch: slice
    """Indices among all requested positions of the batch, sequence by sequence."""
    positions: torch.Tensor
    """[row], token indices in the sequence."""
    weights: torch.Tensor
    """[row, head, token], float32; tokens up to the largest of `positions`. Each row
    sums to 1, or to less where a head has an attention sink."""
    window: int | None
    """Number of tokens that the layer sees, including the position; None: all before
    it."""
    sink: torch.Tensor | None
    """[row, head], float32, share of the attention sink; None: the model has none."""


@dataclass(frozen=True)
class _RowReader:
    positions: Sequence[Sequence[int]]
    receive: Callable[[AttentionRows], None]
    block: int

    def read(self, layer: int, states: QueriesAndKeys) -> None:
        """Compute and hand on the rows of every sequence."""
        done = 0
        for sequence, positions in enumerate(self.positions):
            for first in range(0, len(positions), self.block):
                part = positions[first : first + self.block]
                in_batch = slice(done + first, done + first + len(part))
                rows = torch.tensor(part, device=states.query.device)
                weights, sink = states.weights_of(sequence, rows, max(part) + 1)
                self.receive(
                    AttentionRows(layer, in_batch, rows, weights, states.window, sink)
                )
            done += len(positions)


_ACTIVE_READER: ContextVar[_RowReader] = ContextVar("reader")


@contextmanager
def reading_rows(
    decoder: Decoder,
    positions: Sequence[Sequence[int]],
    receive: Callable[[AttentionRows], None],
    block: int = ROW_BLOCK,
) -> Iterator[None]:
    """Read attention rows in the forward passes inside the block.

    The passes take right-padded token ids without a mask
    (`doubletake.model.batches.padded`) and keep no cache of keys and values.

    Args:
        decoder: the model; after the block it has its usual attention again.
        positions: token indices, for every sequence of the batch.
        receive: called for every layer and up to `block` positions of a sequence.
        block: positions of a sequence whose rows are computed at once.

    Raises:
        InputError: the model's attention cannot be read. The message names the
            architecture.
    """
    AttentionInterface.register(KERNEL, _attention_function)
    AttentionMaskInterface.register(KERNEL, _window_size)
    token = _ACTIVE_READER.set(_RowReader(positions, receive, block))
    try:
        decoder.hf.set_attn_implementation(KERNEL)
        if decoder.config._attn_implementation != KERNEL:
            raise InputError(
                f"{decoder.settings.source}: attention of the architecture "
                f"{decoder.config.model_type!r} cannot be read: it does not use the "
                "library's attention interface"
            )
        yield
    finally:
        decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
        _ACTIVE_READER.reset(token)


@contextmanager
def eager_attention(decoder: Decoder) -> Iterator[None]:
    """Use the library's reference code for attention inside the block."""
    decoder.hf.set_attn_implementation("eager")
    try:
        yield
    finally:
        decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)


def eager_weights(decoder: Decoder, ids: Sequence[int]) -> torch.Tensor:
    """Attention weights of a sequence's last position by the library's reference code.

    Returns:
        [layer, head, token], float32, on the CPU.
    """
    by_layer: list[torch.Tensor] = []
    read_eager(decoder, ids, lambda _, weights: by_layer.append(weights[:, -1].cpu()))
    return torch.stack(by_layer)


@torch.inference_mode()
def read_eager(
    decoder: Decoder,
    ids: Sequence[int],
    receive: Callable[[int, torch.Tensor], None],
) -> None:
    """Read all attention weights of a sequence from the library's reference code.

    For checks: memory grows with the square of the tokens, one layer at a time.

    Args:
        decoder: the model.
        ids: the sequence.
        receive: called for every layer with its weights [head, query, token], float32.
    """

    def keep(layer: int, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        receive(layer, output[1][0].float())

    hooks = registered(
        decoder.attention(layer).register_forward_hook(
            lambda _, __, output, layer=layer: keep(layer, output)
        )
        for layer in range(decoder.n_layers)
    )
    with hooks, eager_attention(decoder):
        decoder.base(
            input_ids=torch.tensor([ids], device=decoder.device), use_cache=False
        )


@torch.inference_mode()
def prove_rows(decoder: Decoder) -> None:
    """Compare the rows of a short sequence with the library's reference code.

    Both passes read the same states in every layer. Otherwise the rounding of 16-bit
    numbers would add up over the layers, because the two attend with other kernels.

    Raises:
        InputError: they differ by more than the bound of the self-proof. The message
            names the architecture.
    """
    ids = torch.arange(1, PROOF_TOKENS + 1).mul(7919)
    ids = ids.remainder(decoder.embed.weight.shape[0])
    by_layer: list[torch.Tensor] = []
    inputs: dict[int, torch.Tensor] = {}
    places = [("resid", layer) for layer in range(decoder.n_layers)]

    def keep(_: str, layer: int, states: torch.Tensor) -> None:
        inputs[layer] = states.clone()

    with (
        hooked(decoder, keep, places),
        reading_rows(
            decoder, [[PROOF_TOKENS - 1]], lambda rows: by_layer.append(rows.weights[0])
        ),
    ):
        decoder.base(input_ids=ids[None].to(decoder.device), use_cache=False)
    with replaced(decoder, lambda _, layer, __: inputs[layer], places):
        expected = eager_weights(decoder, ids.tolist())
    bound = PROOF_BOUND[decoder.settings.dtype]
    error = (torch.stack(by_layer).cpu() - expected).abs().max().item()
    if not error <= bound:
        raise InputError(
            f"{decoder.settings.source}: attention of the architecture "
            f"{decoder.config.model_type!r} cannot be read: rows differ from its "
            f"eager weights by {error:.2g} in {decoder.settings.dtype} (bound {bound})"
        )


def _window_size(
    *,
    q_length: int,
    kv_length: int,
    local_size: int | None = None,
    attention_mask: torch.Tensor | None = None,
    **_: Any,
) -> int | None:
    """Stands in for the library's mask: the number of tokens that a query sees.

    The library calls this function where it knows a layer's window, and passes the
    result to the attention function unchanged. None: a query sees all tokens before it.
    """
    if attention_mask is not None or q_length != kv_length:
        raise ValueError("attention is read without masks and caches")
    return local_size


def _attention_function(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: int | None,
    scaling: float | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Reads the requested rows, then attends as the model does.

    Args:
        module: the attention module of the layer.
        query: [sequence, head, token, d_head].
        key: [sequence, key head, token, d_head].
        value: [sequence, key head, token, d_head].
        attention_mask: the result of `_window_size`.
        scaling: factor of the scores; default: 1 / sqrt(d_head).
        softcap: cap of the scores.
        s_aux: [head], scores of the attention sinks.
        options: further arguments of the library.
    """
    unsupported = [name for name in UNSUPPORTED if options.get(name) is not None]
    if unsupported:
        raise InputError(
            f"attention of the architecture {module.config.model_type!r} cannot be "
            f"read: its weights depend on {unsupported[0]}"
        )
    window, width = attention_mask, query.shape[-1]
    scaling = width**-0.5 if scaling is None else scaling
    states = QueriesAndKeys(query, key, scaling, softcap, window, s_aux)
    _ACTIVE_READER.get().read(module.layer_idx, states)
    plain = softcap is None and s_aux is None
    if plain and (window is None or window >= key.shape[2]):
        return sdpa_attention_forward(
            module, query, key, value, None, scaling=scaling, **options
        )
    return states.attend(value), None
