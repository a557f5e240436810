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
    torch.manual_seed(0)
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
    hf = LlamaForCausalLM._from_config(config, attn_implementation="sdpa")
    hf = hf.eval().requires_grad_(False)
    settings = ModelSettings("random", None, "float32", "cpu", "</think>", {})
    return Decoder(hf, hf.config, LAYOUTS["llama"], settings)
