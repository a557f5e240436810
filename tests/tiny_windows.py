"""Tiny random models with attention windows, and plain passes to compare with.

A plain pass is one sequence without padding, mask or cache.
"""

from pathlib import Path
from typing import Any

import torch
import transformers
from tiny_architectures import (
    CAPPED,
    EXPERTS,
    SIZES,
    VISION,
    settings_of,
    write_architecture,
)

from doubletake.model.architectures import LAYOUTS
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder

LOCAL, GLOBAL = "sliding_attention", "full_attention"


def windowed(window: int) -> dict[str, Any]:
    """Configurations for 2,048 positions, by architecture."""
    sizes = SIZES | {"max_position_embeddings": 2048}
    # Two families have the same keys in their configurations.
    mixed = {"sliding_window": window, "layer_types": [LOCAL, GLOBAL, LOCAL]}
    used = {"sliding_window": window, "use_sliding_window": True}
    caps = CAPPED | {"attn_logit_softcapping": 3.0}
    return {
        "exaone4": transformers.Exaone4Config(**sizes, **mixed),
        "gpt_oss": transformers.GptOssConfig(
            **sizes, **mixed, num_local_experts=4, num_experts_per_tok=2
        ),
        "ministral": transformers.MinistralConfig(**sizes, **mixed),
        "mistral3": transformers.Mistral3Config(
            text_config=transformers.MistralConfig(**sizes, sliding_window=window),
            vision_config=transformers.PixtralVisionConfig(**VISION, head_dim=8),
        ),
        "olmo3": transformers.Olmo3Config(**sizes, **mixed),
        "phi3": transformers.Phi3Config(
            **sizes, sliding_window=window, pad_token_id=None
        ),
        "smollm3": transformers.SmolLM3Config(
            **sizes, **mixed, use_sliding_window=True, pad_token_id=None
        ),
        "mistral": transformers.MistralConfig(**sizes, sliding_window=window),
        "mixtral": transformers.MixtralConfig(
            **sizes, num_local_experts=4, num_experts_per_tok=2, sliding_window=window
        ),
        "qwen2": transformers.Qwen2Config(**sizes, **used, max_window_layers=1),
        "qwen3": transformers.Qwen3Config(**sizes, **mixed, use_sliding_window=True),
        "qwen2_moe": transformers.Qwen2MoeConfig(
            **sizes, **EXPERTS, **used, shared_expert_intermediate_size=32
        ),
        "qwen3_moe": transformers.Qwen3MoeConfig(**sizes, **EXPERTS, **used),
        "gemma2": transformers.Gemma2Config(**sizes, **caps, sliding_window=window),
        "gemma3_text": transformers.Gemma3TextConfig(**sizes, **mixed),
        "gemma3": transformers.Gemma3Config(
            text_config=transformers.Gemma3TextConfig(**sizes, **mixed),
            vision_config=VISION,
        ),
    }


REACHES: dict[str, list[bool]] = {
    "exaone4": [True, False, True],
    "gpt_oss": [True, False, True],
    "ministral": [True, False, True],
    "mistral3": [True, True, True],
    "olmo3": [True, False, True],
    "phi3": [True, True, True],
    "smollm3": [True, False, True],
    "mistral": [True, True, True],
    "mixtral": [True, True, True],
    "qwen2": [False, True, True],
    "qwen3": [True, False, True],
    "qwen2_moe": [True, False, True],
    "qwen3_moe": [True, True, True],
    "gemma2": [True, False, True],
    "gemma3_text": [True, False, True],
    "gemma3": [True, False, True],
}
"""Whether each layer sees only a window."""


def windowed_decoder(name: str, window: int, folder: Path) -> Decoder:
    """Write a model with a window, and load it as the workflow does."""
    write_architecture(windowed(window)[name], folder)
    return load_decoder(settings_of(folder))


WINDOWED = sorted(REACHES)
DENSE = [name for name in WINDOWED if LAYOUTS[name].mlp_down is not None]
WINDOWS = [(1, 30), (5, 70), (64, 150), (512, 1500)]
"""Windows and lengths of sequences, in tokens."""


def random_ids(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 96, (count,), generator=generator).tolist()


@torch.inference_mode()
def plain_logits(decoder, ids):
    """[token, vocabulary], float32."""
    return decoder.hf(torch.tensor([ids]), use_cache=False).logits[0].float()


@torch.inference_mode()
def plain_greedy(decoder, ids, count):
    """Greedy tokens; every token is from a pass over the whole sequence."""
    ids = list(ids)
    for _ in range(count):
        ids.append(int(plain_logits(decoder, ids)[-1].argmax()))
    return ids[len(ids) - count :]
