"""Where a decoder keeps its parts: the only place that knows module names.

No torch here, so that the workflow can refuse an unknown architecture before any job.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

GLOBAL_LAYER, LOCAL_LAYER = "full_attention", "sliding_attention"  # the library's words


@dataclass(frozen=True)
class Layout:
    """Module paths of one architecture; those of a layer are relative to it."""

    embed: str = "model.embed_tokens"
    layers: str = "model.layers"
    final_norm: str = "model.norm"
    unembed: str = "lm_head"
    attention: str = "self_attn"
    attention_out: str = "self_attn.o_proj"
    mlp: str = "mlp"
    mlp_down: str | None = "mlp.down_proj"
    """The down-projection; None where a mixture of experts has many."""
    mlp_norm: str = "post_attention_layernorm"
    """The norm through which the MLP reads the residual stream."""
    attention_write: str = "self_attn"
    """The module whose output is added to the residual stream after attention."""
    mlp_write: str = "mlp"
    """The module whose output is added to the residual stream after the MLP."""
    norm_offset: float = 0.0
    """Added to the stored weight of a norm to give its gain."""
    attention_kernel: str = "sdpa"
    """Attention implementation: sdpa, or eager where sdpa cannot cap the scores."""
    window: Literal["none", "all layers", "by layer type"] = "by layer type"
    """Which layers obey `sliding_window` of a configuration. It may be set where the
    model's code ignores it, so the name of the key alone says nothing."""


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
    """Tokens that a layer sees, its own included, by the library's type of layer.

    None: all before. Only types that the model has; one entry if all layers are alike.

    Args:
        config: configuration of a supported model.
    """
    text, kind = config.get_text_config(), LAYOUTS[config.model_type].window
    window = None if kind == "none" else getattr(text, "sliding_window", None)
    if kind != "by layer type":
        return {GLOBAL_LAYER if window is None else LOCAL_LAYER: window}
    return {
        layer: window if layer == LOCAL_LAYER else None
        for layer in sorted(set(text.layer_types))
    }
