"""The adapter on a tiny random model of every architecture."""

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.architectures import LAYOUTS
from doubletake.model.hooks import record
from doubletake.model.loading import load_decoder
from doubletake.model.norm_and_softcap import rms_scale

torch.set_num_threads(1)


def test_every_layout_is_tested():
    assert {name.partition("-")[0] for name in ARCHITECTURES} == set(LAYOUTS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parts_add_up_to_the_logits(architectures, name):
    """Direct logit attribution: components times one scale give the true logits."""
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.arange(3, 43, 2)[None]
    with torch.no_grad(), record(decoder) as seen:
        logits = decoder.hf(ids).logits[0].double()
    parts = torch.stack([seen["resid"][0], *seen["attn_out"], *seen["mlp_out"]])[:, 0]
    scale = rms_scale(seen["resid"][-1][0], decoder.norm_eps)
    direction = (decoder.unembed.weight * decoder.norm_gain).double()
    shares = (parts.double() * scale.double()[None, :, None]) @ direction.T
    total = shares.sum(0)
    if decoder.softcap is not None:
        total = decoder.softcap * torch.tanh(total / decoder.softcap)
    assert ((total - logits).norm() / logits.norm()).item() < 1e-5


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_resid_is_what_the_model_calls_hidden_states(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    ids = torch.tensor([[1, 50, 7, 33, 90, 2, 2, 14]])
    with torch.no_grad(), record(decoder) as seen:
        states = decoder.hf(ids, output_hidden_states=True).hidden_states
    assert len(seen["resid"]) == decoder.n_layers + 1 == len(states)
    for mine, theirs in zip(seen["resid"][:-1], states, strict=False):
        assert torch.equal(mine, theirs)
    assert torch.equal(decoder.final_norm(seen["resid"][-1]), states[-1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_value_vectors_and_heads_are_the_writing_weights(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    for layer in range(decoder.n_layers):
        if decoder.layout.mlp_down is not None:
            assert decoder.mlp_down(layer).weight.shape == (32, 64)
        assert decoder.attention_out(layer).weight.shape == (32, 32)
    assert decoder.d_model == 32
    assert decoder.unembed.weight.shape == (96, 32)
    assert decoder.max_positions == 128
