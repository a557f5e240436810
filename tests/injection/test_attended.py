"""The attention to the token equals the library's own weights."""

import pytest
import torch
from tiny_architectures import settings_of

from doubletake.model.loading import load_decoder
from injection.attended import attention_to_token
from injection.contexts import Context
from injection.injections import Injection
from injection.tables import ARRIVAL, ONCE, attending_distances

TOKEN, DISTANCE = 9, 19
IDS = tuple(torch.randint(1, 96, (30,), generator=torch.manual_seed(3)).tolist())
CONTEXT = Context("0/0", "0", ARRIVAL, TOKEN, IDS)


def injection(decoder, boundary, seed=0):
    generator = torch.Generator().manual_seed(seed)
    vector = 2 * torch.randn(decoder.d_model, generator=generator)
    return Injection("ward", None, boundary, 0.5, 2.0, ONCE, 1.0, vector)


def eager(decoder, one):
    """[layer, distance], mean over heads, of one plain pass with a hook."""

    def add(_, inputs):
        states = inputs[0].clone()
        states[:, TOKEN] += one.vector
        return (states, *inputs[1:])

    hook = decoder.layers[one.boundary].register_forward_pre_hook(add) if one else None
    decoder.hf.set_attn_implementation("eager")
    weights = decoder.hf(torch.tensor([IDS]), output_attentions=True).attentions
    decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
    if hook:
        hook.remove()
    rows = [TOKEN + d for d in attending_distances(DISTANCE)]
    return torch.stack([layer[0, :, rows, TOKEN].mean(0) for layer in weights])


def test_distances_are_powers_of_two():
    assert attending_distances(1) == [1]
    assert attending_distances(15) == [1, 2, 4, 8]
    assert attending_distances(16) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("gib", [1e-9, 1.0])
@pytest.mark.parametrize("name", ["llama", "gemma2", "mistral"])
@torch.inference_mode()
def test_attention_is_that_of_a_plain_pass(name, gib, architectures):
    decoder = load_decoder(settings_of(architectures[name]))
    several = [None, injection(decoder, 1), injection(decoder, 2, seed=1)]
    found = attention_to_token(decoder, CONTEXT, several, gib)
    for one, own in zip(several, found, strict=True):
        torch.testing.assert_close(own, eager(decoder, one), rtol=1e-4, atol=1e-6)


@torch.inference_mode()
def test_layers_before_the_boundary_attend_as_before(architectures):
    decoder = load_decoder(settings_of(architectures["llama"]))
    plain, injected = attention_to_token(
        decoder, CONTEXT, [None, injection(decoder, 2)], 1.0
    )
    torch.testing.assert_close(plain[:2], injected[:2], rtol=1e-5, atol=1e-7)
    assert (plain[2] - injected[2]).abs().max() > 1e-3
