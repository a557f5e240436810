"""The model that the benches run: a random Llama, the same in all of them."""

import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.model.architectures import LAYOUTS
from doubletake.model.decoder import Decoder
from doubletake.study.settings import ModelSettings


def random_decoder() -> Decoder:
    """A Llama of 33.6 M parameters."""
    config = LlamaConfig(
        vocab_size=8192,
        hidden_size=512,
        intermediate_size=1376,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        bos_token_id=None,
        eos_token_id=None,
    )
    return decoder_of(config, torch.device("cpu"), torch.float32)


def decoder_of(
    config: LlamaConfig, device: torch.device, dtype: torch.dtype
) -> Decoder:
    """A Llama with seeded random weights, which are made on the device."""
    torch.manual_seed(0)
    with device:
        hf = LlamaForCausalLM._from_config(
            config, attn_implementation="sdpa", dtype=dtype
        )
    hf = hf.eval().requires_grad_(False)
    name = str(dtype).removeprefix("torch.")
    settings = ModelSettings("random", None, name, device.type, "</think>", {})
    return Decoder(hf, hf.config, LAYOUTS["llama"], settings)
