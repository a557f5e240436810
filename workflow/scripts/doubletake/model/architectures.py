"""Supported architectures: the names of their modules, and their attention windows.

No other module knows these names. This one does not import torch, so that an unknown
architecture is refused before the first job.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

GLOBAL_LAYER, LOCAL_LAYER = "full_attention", "sliding_attention"  # transformers' names


@dataclass(frozen=True)
class Layout:
    """Module paths of one architecture. Paths inside a layer start at the layer."""

    embed: str = "model.embed_tokens"
    layers: str = "model.layers"
    final_norm: str = "model.norm"
    unembed: str = "lm_head"
    attention: str = "self_attn"
    attention_out: str = "self_attn.o_proj"
    mlp: str = "mlp"
    mlp_down: str | None = "mlp.down_proj"
    """The down-projection; None for a mixture of experts, which has many."""
    mlp_norm: str = "post_attention_layernorm"
    """The norm through which the MLP reads the residual stream."""
    attention_write: str = "self_attn"
    """The module whose output is added to the residual stream after attention."""
    mlp_write: str = "mlp"
    """The module whose output is added to the residual stream after the MLP."""
    norm_offset: float = 0.0
    """A norm's gain is its stored weight plus this."""
    attention_kernel: str = "sdpa"
    """Attention implementation: sdpa, or eager for models that cap attention scores."""
    window: Literal["none", "all layers", "by layer type"] = "by layer type"
    """Which layers obey `sliding_window` of a configuration. A configuration may set
    this key although the model's code ignores it."""


_GEMMA = Layout(
    mlp_norm="pre_feedforward_layernorm",
    attention_write="post_attention_layernorm",
    mlp_write="post_feedforward_layernorm",
    norm_offset=1.0,
)

_EXPERTS = Layout(mlp_down=None)
_EXPERTS_ONE_WINDOW = replace(_EXPERTS, window="all layers")

LAYOUTS = {
    "llama": Layout(window="none"),
    "mistral": Layout(window="all layers"),
    "qwen2": Layout(),
    "qwen3": Layout(),
    "mixtral": _EXPERTS_ONE_WINDOW,
    "qwen2_moe": _EXPERTS,
    "qwen3_moe": _EXPERTS_ONE_WINDOW,
    "gemma2": replace(_GEMMA, attention_kernel="eager"),
    "gemma3": replace(
        _GEMMA,
        embed="model.language_model.embed_tokens",
        layers="model.language_model.layers",
        final_norm="model.language_model.norm",
    ),
    "gemma3_text": _GEMMA,
}


def attention_windows(config: Any) -> dict[str, int | None]:
    """Number of tokens that a layer sees, with the token itself, by type of layer.

    The window is None where a layer sees all earlier tokens.

    Args:
        config: configuration of a supported model.

    Returns:
        An entry for each type of layer that the model has, in transformers' words.
    """
    text, kind = config.get_text_config(), LAYOUTS[config.model_type].window
    window = None if kind == "none" else getattr(text, "sliding_window", None)
    if kind != "by layer type":
        return {GLOBAL_LAYER if window is None else LOCAL_LAYER: window}
    return {
        layer: window if layer == LOCAL_LAYER else None
        for layer in sorted(set(text.layer_types))
    }
