"""Heads and bias add up to the attention output; each head has its own slice."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from attention.head_attribution import HeadReader, write_logits
from doubletake.model.hooks import hooked, projected
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder

GROUPS = [torch.tensor([3, 17, 40]), torch.tensor([5])]


def states_of(decoder):
    """Final residual, heads' outputs and attention writes of a short sequence."""
    ids = torch.arange(1, 14).mul(7)[None]
    z, writes, last = {}, {}, {}

    def see(name, layer, states):
        {"attn_out": writes, "resid": last, "mlp_out": {}}[name][layer] = states[0]

    def see_heads(layer, states):
        z[layer] = states[0].clone()

    with torch.inference_mode(), hooked(decoder, see), projected(decoder, see_heads):
        decoder.base(input_ids=ids, use_cache=False)
    return last[decoder.n_layers], z, writes


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_heads_add_up_to_the_attention_write(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    reader = HeadReader(decoder, GROUPS)
    last, z, writes = states_of(decoder)
    targets, lens = reader.targets(last), Lens.of(decoder)
    final = lens.logits(lens.normed(last)).double()
    for layer in range(decoder.n_layers):
        heads, bias = reader.head_logits(layer, z[layer], targets)
        # The write through the final norm, by the norm's own formula, in float64.
        normed = writes[layer].double() * lens.scale(last).double()[:, None]
        logits = normed * decoder.norm_gain.double() @ decoder.unembed.weight.double().T
        mean = logits.mean(1)
        groups = [
            (final[:, ids].softmax(1) * logits[:, ids]).sum(1) - mean for ids in GROUPS
        ]
        expected = torch.stack([*groups, mean], 1)
        assert heads.shape == (13, 4, 3)
        size = expected.abs().max()
        assert (heads.sum(1) + bias - expected).abs().max() < 1e-5 * size
        assert torch.allclose(
            write_logits(writes[layer], targets).double(), expected, atol=1e-4 * size
        )


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_a_heads_logits_are_what_silencing_it_takes_away(architectures, name):
    """Without a norm after attention, the output is linear in the heads."""
    decoder = load_decoder(settings_of(architectures[name]))
    reader = HeadReader(decoder, GROUPS)
    last, z, _ = states_of(decoder)
    targets = reader.targets(last)
    heads, _ = reader.head_logits(1, z[1], targets)
    width = z[1].shape[-1] // 4
    for head in range(4):
        silent = z[1].clone()
        silent[:, head * width : (head + 1) * width] = 0
        project = decoder.attention_out(1)
        lost = write_logits(project(z[1]) - project(silent), targets)
        assert torch.allclose(heads[:, head], lost, atol=1e-4)


def test_a_bias_belongs_to_no_head(architectures):
    decoder = load_decoder(settings_of(architectures["llama-biases"]))
    reader = HeadReader(decoder, GROUPS)
    last, z, _ = states_of(decoder)
    heads, bias = reader.head_logits(0, torch.zeros_like(z[0]), reader.targets(last))
    assert not heads.count_nonzero()
    assert bias.abs().min() > 0
