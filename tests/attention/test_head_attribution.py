"""Heads and bias add up to what attention writes; each head is its own slice."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from attention.head_attribution import HeadReader
from doubletake.model.hooks import hooked, projected
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder

GROUPS = [torch.tensor([3, 17, 40]), torch.tensor([5])]


def states_of(decoder):
    """Final scale, heads' outputs and attention writes of a short sequence."""
    ids = torch.arange(1, 14).mul(7)[None]
    z, writes, last = {}, {}, {}

    def see(name, layer, states):
        {"attn_out": writes, "resid": last, "mlp_out": {}}[name][layer] = states[0]

    def see_heads(layer, states):
        z[layer] = states[0].clone()

    with torch.inference_mode(), hooked(decoder, see), projected(decoder, see_heads):
        decoder.base(input_ids=ids, use_cache=False)
    return Lens.of(decoder).scale(last[decoder.n_layers]), z, writes


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_heads_add_up_to_the_attention_write(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    reader = HeadReader(decoder, GROUPS)
    scale, z, writes = states_of(decoder)
    rows = torch.stack([decoder.unembed.weight[ids].mean(0) for ids in GROUPS])
    for layer in range(decoder.n_layers):
        heads, bias = reader.of_heads(layer, z[layer], scale)
        # The write through the final norm, by the norm's own formula, in float64.
        normed = writes[layer].double() * scale.double()[:, None]
        wanted = (normed * decoder.norm_gain.double()) @ rows.double().T
        assert heads.shape == (13, 4, 2)
        assert (heads.sum(1) + bias - wanted).abs().max() < 1e-5 * wanted.abs().max()
        assert torch.allclose(
            reader.of_writes(writes[layer], scale).double(), wanted, rtol=1e-4
        )


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_a_heads_part_is_what_goes_when_the_head_is_silent(architectures, name):
    """Without a norm behind attention the write is linear in the heads."""
    decoder = load_decoder(settings_of(architectures[name]))
    reader = HeadReader(decoder, GROUPS)
    scale, z, _ = states_of(decoder)
    heads, _ = reader.of_heads(1, z[1], scale)
    width = z[1].shape[-1] // 4
    for head in range(4):
        silent = z[1].clone()
        silent[:, head * width : (head + 1) * width] = 0
        project = decoder.attention_out(1)
        lost = reader.of_writes(project(z[1]) - project(silent), scale)
        assert torch.allclose(heads[:, head], lost, atol=1e-4)


def test_a_bias_is_no_heads(architectures):
    decoder = load_decoder(settings_of(architectures["llama-biases"]))
    reader = HeadReader(decoder, GROUPS)
    scale, z, _ = states_of(decoder)
    heads, bias = reader.of_heads(0, torch.zeros_like(z[0]), scale)
    assert not heads.count_nonzero()
    assert bias.abs().min() > 0
