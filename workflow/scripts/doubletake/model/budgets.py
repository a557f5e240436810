"""How many tokens one batch may hold, from a budget of memory.

Counts of what is alive at the peak, per token, in numbers of the model's dtype unless
said otherwise: estimates, so that a batch that does not fit all the same is halved
(`passes.in_batches`). They change speed and memory, never results.
"""

from typing import Any

from doubletake.model.decoder import Decoder

GIB = 2**30
FLOAT32 = 4  # bytes


def mlp_width(config: Any) -> int:
    """Numbers that the widest MLP holds for a token between its projections.

    A mixture of experts holds its experts' for each expert that a token goes to, and
    its shared expert's; some of its layers may be plain.
    """
    plain = int(config.intermediate_size)
    chosen = getattr(config, "num_experts_per_tok", None)
    if chosen is None:
        return plain
    each = getattr(config, "moe_intermediate_size", None) or plain
    shared = getattr(config, "shared_expert_intermediate_size", None) or 0
    return max(plain, chosen * each + shared)


def forward_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens of a batch that goes forward without gradients, padding included.

    At the peak one layer's states are alive: residual, normed input, queries, keys,
    values and attention output, or the MLP's gate, up-projection and product; the norms
    work in float32.

    Args:
        decoder: the model.
        gib: memory that the batch may take beyond the model, GiB.
    """
    d, wide = decoder.d_model, mlp_width(decoder.config)
    size = decoder.dtype.itemsize
    return _tokens(gib, (8 * d + 3 * wide) * size + 2 * d * FLOAT32)


def backward_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens of a batch that goes forward and backward, parameters frozen.

    Every layer keeps what its gradient needs: residual and normed states around both
    parts, queries, keys, values and attention output, the MLP's gate, its activation,
    up-projection and product.

    Args:
        decoder: the model.
        gib: memory that the batch may take beyond the model, GiB.
    """
    d, wide = decoder.d_model, mlp_width(decoder.config)
    size = decoder.dtype.itemsize
    layer = (10 * d + 4 * wide) * size + 4 * d * FLOAT32
    return _tokens(gib, decoder.n_layers * layer)


def cached_tokens(decoder: Decoder, gib: float) -> int:
    """Tokens whose keys and values may lie in a batch of copies of one prefix.

    Adding a token copies them once more.

    Args:
        decoder: the model.
        gib: memory that the batch may take beyond the model, GiB.
    """
    config = decoder.config
    width = config.num_key_value_heads * getattr(
        config, "head_dim", decoder.d_model // config.num_attention_heads
    )
    return _tokens(gib, 2 * 2 * decoder.n_layers * width * decoder.dtype.itemsize)


def unembedding_in_layers(decoder: Decoder) -> float:
    """Cost of unembedding a token, in layers: by the weights that it meets."""
    config, d = decoder.config, decoder.d_model
    head = getattr(config, "head_dim", None) or d // config.num_attention_heads
    heads = config.num_attention_heads + config.num_key_value_heads
    layer = 2 * d * heads * head + 3 * d * mlp_width(config)
    return decoder.unembed.weight.numel() / layer


def _tokens(gib: float, per_token: int) -> int:
    return max(1, int(gib * GIB / per_token))
