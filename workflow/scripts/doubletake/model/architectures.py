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
    mlp_norm: str | None = "post_attention_layernorm"
    """The norm through which the MLP reads the residual stream; None: it reads it as it
    is."""
    attention_write: str = "self_attn"
    """The module whose output is added to the residual stream after attention."""
    mlp_write: str = "mlp"
    """The module whose output is added to the residual stream after the MLP."""
    norm_offset: float = 0.0
    """A norm's gain is its stored weight plus this."""
    auto_class: str = "AutoModelForCausalLM"
    """The class of transformers that loads the model."""
    multipliers: bool = False
    """Whether the model multiplies embeddings, writes and logits by numbers of its
    configuration (`doubletake.model.multipliers`)."""
    attention_kernel: str = "sdpa"
    """Attention implementation: sdpa, or eager for models that cap attention scores or
    have attention sinks."""
    window: Literal["none", "all layers", "by layer type"] = "by layer type"
    """Which layers obey `sliding_window` of a configuration. A configuration may set
    this key although the model's code ignores it."""


_GEMMA = Layout(
    mlp_norm="pre_feedforward_layernorm",
    attention_write="post_attention_layernorm",
    mlp_write="post_feedforward_layernorm",
    norm_offset=1.0,
)
_GLOBAL = Layout(window="none")
_ONE_WINDOW = Layout(window="all layers")
_POST_NORMS = Layout(
    mlp_norm=None,
    attention_write="post_attention_layernorm",
    mlp_write="post_feedforward_layernorm",
)
_EXPERTS = Layout(mlp_down=None)
_INSIDE: Any = {  # a language model beside a part that reads images
    "embed": "model.language_model.embed_tokens",
    "layers": "model.language_model.layers",
    "final_norm": "model.language_model.norm",
}

LAYOUTS = {
    "ernie4_5_moe": replace(_EXPERTS, window="none"),
    "exaone4": _POST_NORMS,
    "gemma2": replace(_GEMMA, attention_kernel="eager"),
    "gemma3": replace(_GEMMA, **_INSIDE),
    "gemma3_text": _GEMMA,
    "glm": _GLOBAL,
    "glm4": replace(
        _GLOBAL,
        attention_write="post_self_attn_layernorm",
        mlp_write="post_mlp_layernorm",
    ),
    "glm4_moe": replace(_EXPERTS, window="none"),
    "gpt_oss": replace(_EXPERTS, attention_kernel="eager"),
    "granite": replace(_GLOBAL, multipliers=True),
    "hunyuan_v1_dense": _GLOBAL,
    "llama": _GLOBAL,
    "ministral": Layout(),
    "ministral3": _ONE_WINDOW,
    "mistral": _ONE_WINDOW,
    "mistral3": replace(
        _ONE_WINDOW, **_INSIDE, auto_class="AutoModelForImageTextToText"
    ),
    "mixtral": replace(_EXPERTS, window="all layers"),
    "olmo2": replace(_POST_NORMS, window="none"),
    "olmo3": _POST_NORMS,
    "phi3": _ONE_WINDOW,
    "qwen2": Layout(),
    "qwen2_moe": _EXPERTS,
    "qwen3": Layout(),
    "qwen3_moe": replace(_EXPERTS, window="all layers"),
    "seed_oss": _GLOBAL,
    "smollm3": Layout(),
}
"""The layout of every supported architecture, by `model_type` of `config.json`."""


_STATE = (
    "some of its layers keep a running state instead of keys (linear attention or a "
    "state space model), so they have no attention weights, and continuations of a "
    "thought cannot share its cache"
)
_LATENT = "its attention keeps a compressed state instead of keys and values"
_MEAN = "its norms subtract the mean, so a state has no single scale for all its parts"
_PARALLEL = f"attention and MLP read the same state, and {_MEAN}"
_EXTRA = (
    "its layers change the residual stream by more than adding what attention and MLP "
    "write"
)
_CHUNKS = "its attention sees chunks of the text, which no window describes"

_WHY = {
    _STATE: "bailing_hybrid bamba falcon_h1 granitemoehybrid jamba kimi_linear lfm2 "
    "lfm2_moe mamba mamba2 minimax nemotron_h olmo_hybrid qwen3_5 qwen3_5_moe "
    "qwen3_5_moe_text qwen3_5_text qwen3_next",
    _LATENT: "deepseek_v2 deepseek_v3 glm4_moe_lite minicpm3",
    _PARALLEL: "cohere cohere2 phi",
    _MEAN: "nemotron phimoe starcoder2",
    _EXTRA: "gemma3n gemma3n_text gemma4 gemma4_text",
    _CHUNKS: "llama4 llama4_text",
}
UNSUPPORTED = {name: why for why, names in _WHY.items() for name in names.split()}
"""Architectures that no layout describes, and why."""


def why_unsupported(architecture: object) -> str:
    """Why no study can use an architecture that is not in `LAYOUTS`, with the remedy.

    Args:
        architecture: the `model_type` of a configuration.
    """
    supported = ", ".join(sorted(LAYOUTS))
    if reason := UNSUPPORTED.get(str(architecture)):
        return f"unsupported architecture {architecture!r}: {reason}; use {supported}"
    return (
        f"unsupported architecture {architecture!r} (supported: {supported}; "
        "docs/architectures.md tells how to add one)"
    )


def max_positions(config: Any) -> int:
    """Longest sequence that can be read token by token as at once, in tokens.

    Models with `longrope` (Phi-3 128k, Phi-4-mini) rotate all keys and queries
    otherwise as soon as the sequence is longer than their original context. Earlier
    states then depend on later tokens, so only the original context can be used.

    Args:
        config: configuration of a supported model.
    """
    text = config.get_text_config()
    rope = getattr(text, "rope_parameters", None) or {}
    changes = [
        one["original_max_position_embeddings"]
        for one in (rope, *rope.values())
        if isinstance(one, dict) and one.get("rope_type") == "longrope"
    ]
    return min([text.max_position_embeddings, *changes])


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
