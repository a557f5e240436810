"""How much memory a batch takes, for the budget `batch_memory`.

Each function counts the numbers that are in memory at the peak of a pass, in addition
to the model. The counts follow from the code of the library's decoder layers, and hold
for dense models (`tests/bench/bench_memory.py` measures them). They decide the size of
batches, never results.
"""

from dataclasses import dataclass
from typing import Any

from doubletake.model.decoder import Decoder
from doubletake.model.lens import UNEMBED_ROWS

GIB = 2**30
FLOAT32 = 4  # bytes


@dataclass(frozen=True)
class Widths:
    """Numbers per token in a layer, and bytes of a number."""

    d: int
    """Residual stream."""
    queries: int
    """Queries of all heads."""
    keys: int
    """Keys of all key heads; values have the same width."""
    mlp: int
    """Hidden units of the MLP, see `mlp_width`."""
    heads: int
    layers: int
    vocabulary: int
    size: int
    """Bytes of a number in the model's dtype."""

    @classmethod
    def of(cls, decoder: Decoder) -> "Widths":
        """The widths of a loaded model."""
        vocabulary = decoder.unembed.weight.shape[0]
        return cls.of_config(decoder.config, vocabulary, decoder.dtype.itemsize)

    @classmethod
    def of_config(cls, config: Any, vocabulary: int, size: int) -> "Widths":
        """The widths of a model that need not be loaded."""
        heads = config.num_attention_heads
        head = getattr(config, "head_dim", None) or config.hidden_size // heads
        return cls(
            d=config.hidden_size,
            queries=heads * head,
            keys=config.num_key_value_heads * head,
            mlp=mlp_width(config),
            heads=heads,
            layers=config.num_hidden_layers,
            vocabulary=vocabulary,
            size=size,
        )


def mlp_width(config: Any) -> int:
    """Width of the widest MLP between its projections: numbers per token.

    In a mixture of experts this is the width of one expert, times the number of experts
    per token, plus the width of the shared expert. Some layers may have a plain MLP.
    """
    plain = int(config.intermediate_size)
    experts = getattr(config, "num_experts_per_tok", None)
    if experts is None:
        return plain
    expert = getattr(config, "moe_intermediate_size", None) or plain
    shared = getattr(config, "shared_expert_intermediate_size", None) or 0
    return max(plain, experts * expert + shared)


def forward_bytes(widths: Widths, tokens: int) -> float:
    """Peak of a forward pass without gradients.

    The embeddings, the layer's input, the residual and its normed copy are in memory
    all the time. In the MLP the activation, the up-projection and their product come
    on top. In the attention these are queries, keys, values and the parts of the
    rotation, which need less in most models.

    Args:
        widths: of the model.
        tokens: tokens of the batch, padding included.
    """
    w = widths
    attention = (
        4 * w.queries + 2 * w.keys - w.d
    )  # there is no residual beside the input
    return tokens * w.size * (4 * w.d + max(3 * w.mlp, attention))


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
    copied = keys * 2 * (w.keys + w.queries) + new * keys
    attention = new * 2 * (w.d + w.queries) + copied
    return sequences * w.size * max(new * 3 * (w.d + w.mlp), attention)


def backward_bytes(
    widths: Widths, tokens: int, kept: int = 0, between: float = 0
) -> float:
    """Peak of a forward and a backward pass with frozen parameters.

    Every layer keeps what its gradient needs: the inputs of both norms in float32,
    queries, keys, values and attention output, and the MLP's gate, activation and
    up-projection. The gradients of one MLP come on top.

    Args:
        widths: of the model.
        tokens: tokens of the batch, padding included.
        kept: states of width d that the caller keeps of every layer.
        between: bytes that the caller's loss takes between both passes.
    """
    w = widths
    # In float32 the norm's input is the residual itself, otherwise it is a copy.
    resid = 2 * w.d * FLOAT32 + (w.d * w.size if w.size < FLOAT32 else 0)
    states = 2 * w.queries + 2 * w.keys + 3 * w.mlp + kept * w.d
    layer = resid + states * w.size + w.heads * FLOAT32
    gradients = tokens * (3 * w.mlp * w.size + 2 * w.d * FLOAT32)
    return tokens * w.layers * layer + max(gradients, between)


def unembedding_in_layers(decoder: Decoder) -> float:
    """Cost of unembedding one token, as a multiple of the cost of one layer.

    It is the ratio of the numbers of weights.
    """
    # ASSUME: the cost of a matrix product is proportional to its number of weights.
    w = Widths.of(decoder)
    layer = 2 * w.d * (w.queries + w.keys) + 3 * w.d * w.mlp
    return decoder.unembed.weight.numel() / layer
