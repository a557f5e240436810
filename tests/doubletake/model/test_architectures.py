"""Attention windows of layers, against the attention of transformers' models."""

import pytest
import torch
import transformers
from tiny_architectures import SIZES

from doubletake.model.architectures import attention_windows

torch.set_num_threads(1)


WINDOW = {"sliding_window": 7}
GLOBAL, LOCAL = "full_attention", "sliding_attention"


@pytest.mark.parametrize(
    ("config", "windows"),
    [
        (transformers.LlamaConfig(**SIZES), {GLOBAL: None}),
        (transformers.LlamaConfig(**SIZES, **WINDOW), {GLOBAL: None}),
        (transformers.MistralConfig(**SIZES, **WINDOW), {LOCAL: 7}),
        (transformers.MistralConfig(**SIZES, sliding_window=None), {GLOBAL: None}),
        (
            transformers.MistralConfig(**SIZES, **WINDOW, layer_types=[GLOBAL] * 3),
            {LOCAL: 7},
        ),
        (transformers.Qwen2Config(**SIZES), {GLOBAL: None}),
        (
            transformers.Qwen2Config(
                **SIZES, **WINDOW, use_sliding_window=True, max_window_layers=1
            ),
            {GLOBAL: None, LOCAL: 7},
        ),
        (
            transformers.Qwen2Config(
                **SIZES, **WINDOW, use_sliding_window=True, max_window_layers=3
            ),
            {GLOBAL: None},
        ),
        (transformers.Qwen3MoeConfig(**SIZES, **WINDOW), {GLOBAL: None}),
        (
            transformers.Qwen3MoeConfig(**SIZES, **WINDOW, use_sliding_window=True),
            {LOCAL: 7},
        ),
        (transformers.Gemma2Config(**SIZES, **WINDOW), {GLOBAL: None, LOCAL: 7}),
        (transformers.Gemma3TextConfig(**SIZES, **WINDOW), {LOCAL: 7}),
    ],
)
def test_attention_windows_are_those_that_the_model_applies(config, windows):
    """Counted on the weights of transformers' eager attention."""
    assert attention_windows(config) == windows
    torch.manual_seed(0)
    hf = transformers.AutoModelForCausalLM.from_config(
        config, attn_implementation="eager"
    )
    seen = hf(torch.arange(1, 21)[None], output_attentions=True).attentions
    reaches = {(weights[0, :, -1] > 0).any(0).sum().item() for weights in seen}
    assert reaches == {20 if window is None else window for window in windows.values()}
