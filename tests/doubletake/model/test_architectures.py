"""Attention windows, longest sequences and unsupported architectures."""

import re

import pytest
import torch
import transformers
from checkouts import ROOT
from tiny_architectures import SIZES, settings_of, write_architecture
from tiny_windows import plain_logits, random_ids
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from doubletake.model.architectures import (
    LAYOUTS,
    UNSUPPORTED,
    Layout,
    attention_windows,
    max_positions,
    why_unsupported,
)
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.self_proof import prove

torch.set_num_threads(1)


WINDOW = {"sliding_window": 7}
GLOBAL, LOCAL = "full_attention", "sliding_attention"
MIXED, BOTH = [LOCAL, GLOBAL, LOCAL], {GLOBAL: None, LOCAL: 7}


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
        (transformers.Olmo2Config(**SIZES), {GLOBAL: None}),
        (transformers.Olmo3Config(**SIZES, **WINDOW, layer_types=MIXED), BOTH),
        (transformers.Exaone4Config(**SIZES, **WINDOW, layer_types=MIXED), BOTH),
        (transformers.GptOssConfig(**SIZES, **WINDOW), BOTH),
        (transformers.MinistralConfig(**SIZES, **WINDOW), {LOCAL: 7}),
        (transformers.Ministral3Config(**SIZES, **WINDOW), {LOCAL: 7}),
        (transformers.Phi3Config(**SIZES, **WINDOW, pad_token_id=None), {LOCAL: 7}),
        (transformers.Phi3Config(**SIZES, pad_token_id=None), {GLOBAL: None}),
        (transformers.SmolLM3Config(**SIZES, pad_token_id=None), {GLOBAL: None}),
        (
            transformers.SmolLM3Config(
                **SIZES,
                **WINDOW,
                pad_token_id=None,
                use_sliding_window=True,
                no_rope_layers=[1, 0, 1],
            ),
            BOTH,
        ),
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


LONG = {
    "rope_type": "longrope",
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
    "rope_theta": 10000.0,
}


def test_longrope_can_be_read_up_to_its_original_context(tmp_path):
    """One token more, and the states of all earlier tokens change."""
    config = transformers.Phi3Config(
        **SIZES,
        pad_token_id=None,
        original_max_position_embeddings=24,
        rope_parameters=LONG,
    )
    write_architecture(config, tmp_path)
    decoder = load_decoder(settings_of(tmp_path))
    assert decoder.max_positions == 24
    ids = random_ids(30)
    short, fits, beyond = (plain_logits(decoder, ids[:n])[:20] for n in (20, 24, 25))
    assert torch.allclose(short, fits, atol=1e-5)
    assert (beyond - fits).abs().max() > 0.1


def test_other_models_can_be_read_up_to_their_context():
    for config in (
        transformers.Phi3Config(**SIZES, pad_token_id=None),
        transformers.Olmo3Config(**SIZES),  # its rotation differs between layers
        transformers.LlamaConfig(**SIZES),
    ):
        assert max_positions(config) == 128


def test_unsupported_architectures_are_known_to_transformers():
    assert UNSUPPORTED.keys() <= CONFIG_MAPPING_NAMES.keys()
    assert LAYOUTS.keys() <= CONFIG_MAPPING_NAMES.keys()
    assert not UNSUPPORTED.keys() & LAYOUTS.keys()


def test_the_reason_and_the_remedy_are_named():
    reason = why_unsupported("qwen3_next")
    assert "'qwen3_next': some of its layers keep a running state" in reason
    assert reason.endswith(f"; use {', '.join(sorted(LAYOUTS))}")
    assert "docs/architectures.md tells how to add one" in why_unsupported("gpt2")
    assert "unsupported architecture None" in why_unsupported(None)


def test_the_page_on_architectures_names_them_all():
    page = (ROOT / "docs/architectures.md").read_text()
    supported, unsupported = page.split("## What is not supported")
    for part, names in ((supported, LAYOUTS), (unsupported, UNSUPPORTED)):
        cells = re.findall(r"^\| (`.*?) \|", part.partition("## How to")[0], re.M)
        named = re.findall(r"`(\w+)`", " ".join(cells))
        assert sorted(set(named) - {"model_type"}) == sorted(names)


NO_PADDING: dict[str, object] = {"pad_token_id": None}
UNFIT = {
    "cohere2": (transformers.Cohere2Config, {}, "norm"),
    "phimoe": (transformers.PhimoeConfig, {"num_local_experts": 2}, "norm"),
    "starcoder2": (transformers.Starcoder2Config, {}, "norm"),
    "gemma4_text": (
        transformers.Gemma4TextConfig,
        {"hidden_size_per_layer_input": 4, "vocab_size_per_layer_input": 96},
        "steps",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_no_layout_describes_them(name):
    """With the layout that fits best, their self-proof fails."""
    kind, more, error = UNFIT[name]
    torch.manual_seed(0)
    config = kind(**SIZES, **NO_PADDING, **more)
    hf = transformers.AutoModelForCausalLM.from_config(config).eval()
    for key, weight in hf.named_parameters():
        if "norm" in key:
            weight.data += 0.2 * torch.randn_like(weight)
    for key, buffer in hf.named_buffers():
        if "layer_scalar" in key:
            buffer.fill_(0.8)
    config.rms_norm_eps = 1e-6
    best = {
        "cohere2": Layout(mlp_norm="input_layernorm", mlp_down=None),
        "gemma4_text": LAYOUTS["gemma3_text"],
    }.get(name, Layout(mlp_down=None))
    proof = prove(Decoder(hf, config, best, settings_of(".")))
    assert proof.errors[error] > proof.bound
