"""Tiny random models of all architectures: configurations and folders."""

from pathlib import Path
from typing import Any

import torch
import transformers

from doubletake.model.architectures import LAYOUTS
from doubletake.study.settings import ModelSettings

SIZES: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
MULTIPLIERS = {
    "embedding_multiplier": 3.0,
    "residual_multiplier": 0.22,
    "attention_multiplier": 0.3,
    "logits_scaling": 8.0,
}
CAPPED = {"final_logit_softcapping": 5.0}


def configurations() -> dict[str, Any]:
    """A configuration of every architecture, by name."""
    return _dense() | _mixtures() | _with_vision()


def _dense() -> dict[str, Any]:
    """Of models of text whose MLPs are not mixtures of experts."""
    return {
        "llama": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
        "llama-biases": transformers.LlamaConfig(
            **SIZES, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
        ),
        "mistral": transformers.MistralConfig(**SIZES, sliding_window=4),
        "qwen2": transformers.Qwen2Config(**SIZES),
        "qwen3": transformers.Qwen3Config(**SIZES),
        "gemma2": transformers.Gemma2Config(**SIZES, **CAPPED, sliding_window=4),
        "exaone4": transformers.Exaone4Config(**SIZES, sliding_window=4),
        "glm": transformers.GlmConfig(**SIZES, pad_token_id=None, attention_bias=True),
        "glm4": transformers.Glm4Config(**SIZES, pad_token_id=None),
        "granite": transformers.GraniteConfig(**SIZES, **MULTIPLIERS),
        "hunyuan_v1_dense": transformers.HunYuanDenseV1Config(**SIZES),
        "ministral": transformers.MinistralConfig(**SIZES, sliding_window=4),
        "ministral3": transformers.Ministral3Config(**SIZES),
        "olmo2": transformers.Olmo2Config(**SIZES),
        "olmo3": transformers.Olmo3Config(**SIZES, sliding_window=4),
        "phi3": transformers.Phi3Config(**SIZES, sliding_window=4, pad_token_id=None),
        "seed_oss": transformers.SeedOssConfig(**SIZES),
        "smollm3": transformers.SmolLM3Config(
            **SIZES, pad_token_id=None, no_rope_layers=[1, 0, 1]
        ),
        "gemma3_text": transformers.Gemma3TextConfig(
            **SIZES, **CAPPED, sliding_window=4
        ),
    }


def _mixtures() -> dict[str, Any]:
    """Of mixtures of experts."""
    return {
        "mixtral": transformers.MixtralConfig(
            **SIZES, num_local_experts=4, num_experts_per_tok=2, sliding_window=4
        ),
        "qwen2_moe": transformers.Qwen2MoeConfig(
            **SIZES, **EXPERTS, shared_expert_intermediate_size=32
        ),
        "qwen3_moe": transformers.Qwen3MoeConfig(
            **SIZES, **EXPERTS, norm_topk_prob=True, mlp_only_layers=[1]
        ),
        "ernie4_5_moe": transformers.Ernie4_5_MoeConfig(
            **SIZES,
            moe_num_experts=4,
            moe_k=2,
            moe_intermediate_size=16,
            moe_num_shared_experts=1,
        ),
        "glm4_moe": transformers.Glm4MoeConfig(
            **SIZES,
            n_routed_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=16,
            first_k_dense_replace=1,
            use_qk_norm=True,
        ),
        "gpt_oss": transformers.GptOssConfig(
            **SIZES, num_local_experts=4, num_experts_per_tok=2, sliding_window=4
        ),
    }


def _with_vision() -> dict[str, Any]:
    """Of models that also read images: their text is read by a model within."""
    return {
        "mistral3": transformers.Mistral3Config(
            text_config=transformers.MistralConfig(**SIZES, sliding_window=4),
            vision_config=transformers.PixtralVisionConfig(**VISION, head_dim=8),
        ),
        "gemma3": transformers.Gemma3Config(
            text_config=transformers.Gemma3TextConfig(**SIZES, sliding_window=4),
            vision_config=VISION,
        ),
    }


ARCHITECTURES = sorted(configurations())
DENSE = [
    name
    for name, config in sorted(configurations().items())
    if LAYOUTS[config.model_type].mlp_down is not None
]
"""Architectures whose MLPs have a single down-projection."""


def write_architecture(config: Any, folder: Path) -> None:
    """Write a random model; norms and biases differ from their initial values."""
    torch.manual_seed(0)
    loader = getattr(transformers, LAYOUTS[config.model_type].auto_class)
    model = loader.from_config(config, attn_implementation="eager")
    for name, weight in model.named_parameters():
        if "norm" in name or "sinks" in name or name.endswith("bias"):
            weight.data += 0.2 * torch.randn_like(weight)
    model.save_pretrained(folder)


def settings_of(folder: Path, dtype: str = "float32", **changes: Any) -> ModelSettings:
    entry = {
        "source": str(folder),
        "revision": None,
        "dtype": dtype,
        "device": "cpu",
        "end_of_thought": "</think>",
        "template_arguments": {},
    }
    return ModelSettings(**(entry | changes))
