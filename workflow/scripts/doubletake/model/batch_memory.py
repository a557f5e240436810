"""How much memory a batch takes, for the budget `batch_memory`.

Each function counts the bytes that are in memory at the peak of a pass, in addition to
the model. The counts follow from the code of the library's decoder layers
(`tests/bench/bench_memory.py` measures them). They decide the size of batches, never
results.
"""

from dataclasses import dataclass
from typing import Any

from doubletake.model.architectures import attention_windows
from doubletake.model.decoder import Decoder
from doubletake.model.lens import UNEMBED_ROWS

GIB = 2**30
FLOAT32 = 4  # bytes
COPIES = 4
"""States of width d that a mixture of experts holds for every expert of a token."""


@dataclass(frozen=True)
class Widths:
    """What decides the memory of a pass; numbers per token and layer."""

    d: int
    """Residual stream."""
    queries: int
    """Queries of all heads."""
    keys: int
    """Keys of all key heads; values have the same width."""
    mlp: int
    """Hidden units of the MLP, see `mlp_width`."""
    routed: int
    """What experts hold beyond three times `mlp`, because they copy their input."""
    joint: int
    """Width of one projection to gate and up together, which stays beside both."""
    norms: int
    """Inputs of all norms of a layer."""
    heads: int
    layers: int
    vocabulary: int
    size: int
    """Bytes of a number in the model's dtype."""
    window: int | None
    """Fewest tokens that a layer attends to; None: all."""
    eager: bool
    """Whether attention computes the weights of all pairs of tokens at once."""

    @classmethod
    def of(cls, decoder: Decoder) -> "Widths":
        """The widths of a model."""
        config, layout = decoder.config, decoder.layout
        heads, d = config.num_attention_heads, config.hidden_size
        head = getattr(config, "head_dim", None) or d // heads
        queries, keys = heads * head, config.num_key_value_heads * head
        has_post_norms = layout.attention_write != layout.attention
        norms = 2 * has_post_norms + 2 * (layout.mlp_norm is not None)
        has_qk_norms = hasattr(decoder.attention(0), "q_norm")
        windows = attention_windows(config).values()
        return cls(
            d=d,
            queries=queries,
            keys=keys,
            mlp=mlp_width(config),
            routed=_routed(config),
            joint=mlp_width(config) * hasattr(decoder.mlp(0), "gate_up_proj"),
            norms=norms * d + has_qk_norms * (queries + keys),
            heads=heads,
            layers=decoder.n_layers,
            vocabulary=decoder.unembed.weight.shape[0],
            size=decoder.dtype.itemsize,
            window=min((w for w in windows if w is not None), default=None),
            eager=layout.attention_kernel == "eager",
        )


def mlp_width(config: Any) -> int:
    """Width of the widest MLP between its projections: numbers per token.

    In a mixture of experts this is the width of one expert, times the number of experts
    per token, plus the width of the shared expert. Some layers may have a plain MLP.
    """
    return max(int(config.intermediate_size), _expert_width(config))


def _expert_width(config: Any) -> int:
    experts = getattr(config, "num_experts_per_tok", None) or 0
    expert = getattr(config, "moe_intermediate_size", None) or config.intermediate_size
    shared = getattr(config, "shared_expert_intermediate_size", None) or 0
    for name in ("n_shared_experts", "moe_num_shared_experts"):
        shared += expert * (getattr(config, name, None) or 0)
    return int(experts * expert + shared)


def _routed(config: Any) -> int:
    experts = getattr(config, "num_experts_per_tok", None) or 0
    held = 3 * _expert_width(config) + COPIES * experts * config.hidden_size
    return max(0, held - 3 * mlp_width(config))


def forward_bytes(widths: Widths, sequences: int, length: int) -> float:
    """Peak of a forward pass without gradients.

    The embeddings, the layer's input, the residual and its normed copy are in memory
    all the time. In the MLP the activation, the up-projection and their product come
    on top. In the attention these are queries, keys, values and the parts of the
    rotation, which need less in most models. Eager attention holds weights of all
    pairs of tokens, and where a window hides keys there is a mask of all pairs.

    Args:
        widths: of the model.
        sequences: number of sequences.
        length: tokens of each sequence, padding included.
    """
    w = widths
    mlp = 3 * w.mlp + w.routed + w.joint
    attention = 4 * w.queries + 2 * w.keys - w.d  # the residual is the layer's input
    plain = sequences * length * w.size * (4 * w.d + max(mlp, attention))
    if w.eager:
        weights = w.size + FLOAT32 * (1 if w.size == FLOAT32 else 2)
        pairs = w.heads * weights + 2 * w.size  # with the masks of both kinds of layers
        return plain + sequences * length**2 * pairs
    if w.window is not None and length > w.window:
        return max(plain, reading_bytes(w, sequences, length, length))
    return plain


def cache_bytes(widths: Widths, tokens: int) -> float:
    """Keys and values of all layers."""
    return tokens * widths.size * 2 * widths.layers * widths.keys


def reading_bytes(widths: Widths, sequences: int, new: int, keys: int) -> float:
    """Peak of a forward pass whose tokens read a cache, without the cache.

    A mask hides keys from queries. The library copies the mask for every sequence, and
    the keys and values of a layer for every head.

    Args:
        widths: of the model.
        sequences: number of sequences.
        new: new tokens of each sequence.
        keys: keys of each sequence: cached and new tokens.
    """
    w = widths
    pairs = new * keys * (2 * w.heads if w.eager else 1)
    attention = new * 2 * (w.d + w.queries) + keys * 2 * (w.keys + w.queries) + pairs
    mlp = new * (3 * (w.d + w.mlp) + w.routed + w.joint)
    # The mask that all sequences share has one byte per pair.
    return sequences * w.size * max(mlp, attention) + new * keys


def backward_bytes(
    widths: Widths, sequences: int, length: int, kept: int = 0, between: float = 0
) -> float:
    """Peak of a forward and a backward pass with frozen parameters.

    Every layer keeps what its gradient needs: the inputs of its norms in float32,
    queries, keys, values and attention output, and the MLP's gate, activation and
    up-projection. The gradients of one MLP come on top. Eager attention keeps its
    weights, and attention with a window its mask.

    Args:
        widths: of the model.
        sequences: number of sequences.
        length: tokens of each sequence, padding included.
        kept: states of width d that the caller keeps of every layer.
        between: bytes that the caller's loss takes between both passes.
    """
    w, tokens = widths, sequences * length
    # In float32 the norm's input is the residual itself, otherwise it is a copy.
    resid = w.d * w.size if w.size < FLOAT32 else 0
    states = 2 * w.queries + 2 * w.keys + 3 * w.mlp + w.routed + kept * w.d
    layer = w.norms * FLOAT32 + resid + states * w.size + w.heads * FLOAT32
    gradients = tokens * ((3 * w.mlp + w.routed) * w.size + 2 * w.d * FLOAT32)
    peak = tokens * w.layers * layer + max(gradients, between)
    pairs = 0
    if w.eager:
        pairs = 2 * FLOAT32 * w.heads * (w.layers + 1)
    elif w.window is not None and length > w.window:
        pairs = w.size * w.layers
    return peak + sequences * length**2 * pairs


def unembedding_bytes(states: int, vocabulary: int, size: int) -> float:
    """Peak of unembedding states a chunk at a time (`Lens.logprobs`, `Lens.chunks`).

    It holds the logits of a chunk while those of the next one are computed, in the
    model's dtype and in float32.

    Args:
        states: number of states.
        vocabulary: tokens of the model.
        size: bytes of a number in the model's dtype.
    """
    in_both = FLOAT32 if size == FLOAT32 else size + FLOAT32
    first = min(states, UNEMBED_ROWS)
    second = min(states - first, UNEMBED_ROWS)
    # With exponentials of the first chunk, or with the logits of the second.
    return vocabulary * (FLOAT32 * first + max(FLOAT32 * first, in_both * second))


def unembedding_in_layers(decoder: Decoder) -> float:
    """Cost of unembedding one token, as a multiple of the cost of one layer.

    It is the ratio of the numbers of weights.
    """
    # ASSUME: the cost of a matrix product is proportional to its number of weights.
    return decoder.unembed.weight.numel() / _layer_weights(Widths.of(decoder))


def token_multiplications(decoder: Decoder) -> int:
    """Multiplications of the matrix products in a forward pass of one token.

    One for each weight: those of all layers (of a mixture, of the experts that a token
    uses) and of the unembedding. Attention to the tokens before is not counted.
    """
    w = Widths.of(decoder)
    return w.layers * _layer_weights(w) + decoder.unembed.weight.numel()


def _layer_weights(w: Widths) -> int:
    return 2 * w.d * (w.queries + w.keys) + 3 * w.d * w.mlp
