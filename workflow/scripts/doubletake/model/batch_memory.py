"""How many tokens fit into one batch, for a given amount of memory (`batch_memory`).

Each function counts the numbers that are in memory at the peak, per token. They have
the model's dtype, unless a count says float32. The counts are estimates. A batch that
does not fit is halved (`batches.in_batches`). They change speed and memory, never
results.
"""

from typing import Any

from doubletake.model.decoder import Decoder

GIB = 2**30
FLOAT32 = 4  # bytes


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


def forward_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens of a batch for a forward pass without gradients, padding included.

    At the peak the states of one layer are in memory: residual, normed input, queries,
    keys, values and attention output, or the MLP's gate, up-projection and product. The
    norms work in float32.

    Args:
        decoder: the model.
        gib: memory for the batch in addition to the model, in GiB.
    """
    return _tokens(gib, _forward_bytes(decoder))


def backward_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens of a batch for a forward and a backward pass with frozen parameters.

    Every layer keeps what its gradient needs: residual and normed states around
    attention and MLP, queries, keys, values and attention output, the MLP's gate, its
    activation, up-projection and product.

    Args:
        decoder: the model.
        gib: memory for the batch in addition to the model, in GiB.
    """
    d, wide = decoder.d_model, mlp_width(decoder.config)
    size = decoder.dtype.itemsize
    layer = (10 * d + 4 * wide) * size + 4 * d * FLOAT32
    return _tokens(gib, decoder.n_layers * layer)


def cached_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens of a batch for a forward pass that keeps keys and values of all layers.

    Args:
        decoder: the model.
        gib: memory for the batch in addition to the model, in GiB.
    """
    config, d = decoder.config, decoder.d_model
    head = getattr(config, "head_dim", None) or d // config.num_attention_heads
    cache = 2 * decoder.n_layers * config.num_key_value_heads * head
    return _tokens(gib, _forward_bytes(decoder) + cache * decoder.dtype.itemsize)


def unembedding_in_layers(decoder: Decoder) -> float:
    """Cost of unembedding one token, as a multiple of the cost of one layer.

    It is the ratio of the numbers of weights.
    """
    # ASSUME: the cost of a matrix product is proportional to its number of weights.
    config, d = decoder.config, decoder.d_model
    head = getattr(config, "head_dim", None) or d // config.num_attention_heads
    heads = config.num_attention_heads + config.num_key_value_heads
    layer = 2 * d * heads * head + 3 * d * mlp_width(config)
    return decoder.unembed.weight.numel() / layer


def _forward_bytes(decoder: Decoder) -> int:
    d, wide = decoder.d_model, mlp_width(decoder.config)
    return (8 * d + 3 * wide) * decoder.dtype.itemsize + 2 * d * FLOAT32


def _tokens(gib: float, per_token: int) -> int:
    return max(1, int(gib * GIB / per_token))
