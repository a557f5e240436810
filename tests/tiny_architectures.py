"""Tiny random models of all architectures: configurations and folders."""

from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM

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
CAPPED = {"final_logit_softcapping": 5.0}


def configurations() -> dict[str, Any]:
    gemma3 = transformers.Gemma3TextConfig(**SIZES, **CAPPED, sliding_window=4)
    plain_gemma3 = transformers.Gemma3TextConfig(**SIZES, sliding_window=4)
    return {
        "llama": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
        "llama-biases": transformers.LlamaConfig(
            **SIZES, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
        ),
        "mistral": transformers.MistralConfig(**SIZES, sliding_window=4),
        "qwen2": transformers.Qwen2Config(**SIZES),
        "qwen3": transformers.Qwen3Config(**SIZES),
        "mixtral": transformers.MixtralConfig(
            **SIZES, num_local_experts=4, num_experts_per_tok=2, sliding_window=4
        ),
        "qwen2_moe": transformers.Qwen2MoeConfig(
            **SIZES, **EXPERTS, shared_expert_intermediate_size=32
        ),
        "qwen3_moe": transformers.Qwen3MoeConfig(
            **SIZES, **EXPERTS, norm_topk_prob=True, mlp_only_layers=[1]
        ),
        "gemma2": transformers.Gemma2Config(**SIZES, **CAPPED, sliding_window=4),
        "gemma3_text": gemma3,
        "gemma3": transformers.Gemma3Config(
            text_config=plain_gemma3, vision_config=VISION
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
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for name, weight in model.named_parameters():
        if "norm" in name or name.endswith("bias"):
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
