"""MLP units against direct matrix products and hooks on full forward passes."""

import pytest
import torch
from tiny_architectures import DENSE, settings_of

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import record
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.model.value_vectors import cosines, value_vectors
from value_vectors.mlp_units import activations, extreme_units, token_logits

torch.set_num_threads(1)

IDS = torch.tensor([[5, 17, 3, 60, 41, 8, 33, 12, 71]])
POSITIONS = [0, 3, 8]


@pytest.fixture(params=DENSE)
def decoder(request, architectures) -> Decoder:
    return load_decoder(settings_of(architectures[request.param]))


def forward(decoder, layer):
    """States of every part, and the input of the layer's down-projection."""
    read = []
    handle = decoder.mlp_down(layer).register_forward_pre_hook(
        lambda _, inputs: read.append(inputs[0][0])
    )
    with record(decoder) as seen, torch.no_grad():
        decoder.base(input_ids=IDS, use_cache=False)
    handle.remove()
    return seen, read[0]


def test_activations_from_the_cache_are_those_of_a_full_pass(decoder):
    for layer in range(decoder.n_layers):
        seen, read = forward(decoder, layer)
        resid, attn_out = seen["resid"][layer][0], seen["attn_out"][layer][0]
        found = activations(decoder, layer, resid[POSITIONS], attn_out[POSITIONS])
        torch.testing.assert_close(found, read[POSITIONS], atol=1e-5, rtol=1e-4)


def test_vectors_times_activations_are_the_mlps_write(decoder):
    """Exactly, or times one positive number per position where a norm follows."""
    for layer in range(decoder.n_layers):
        seen, read = forward(decoder, layer)
        written = seen["mlp_out"][layer][0]
        total = read @ value_vectors(decoder, layer)
        bias = decoder.mlp_down(layer).bias
        if bias is not None:
            total = total + bias
        if decoder.layout.mlp_write == decoder.layout.mlp:
            torch.testing.assert_close(total, written, atol=1e-4, rtol=1e-4)
        else:
            scale = written.norm(dim=-1) / total.norm(dim=-1)
            same = total * scale[:, None]
            torch.testing.assert_close(same, written, atol=1e-4, rtol=1e-4)


def test_token_logits_are_a_direct_matrix_product(decoder):
    vectors = value_vectors(decoder, 1)
    found = token_logits(Lens.of(decoder), vectors)
    state = decoder.hf.state_dict()
    down = state[_named(state, "layers.1.mlp.down_proj.weight")]
    gain = state[_named(state, "norm.weight", exact=decoder.layout.final_norm)]
    head = state["lm_head.weight"]
    offset = decoder.layout.norm_offset
    columns = down.T * getattr(decoder.hf.config, "residual_multiplier", 1.0)
    if decoder.layout.mlp_write != decoder.layout.mlp:
        name = _named(state, f"layers.1.{decoder.layout.mlp_write}.weight")
        columns = columns * (state[name] + offset)
    expected = torch.einsum("vd,ud->uv", head, columns * (gain + offset))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (found.argmax(-1) == expected.argmax(-1)).all()


def _named(state, end, exact=None):
    if exact is not None:
        return f"{exact}.weight"
    (name,) = [key for key in state if key.endswith(end) and "vision" not in key]
    return name


def test_writing_a_vector_moves_the_logits_as_predicted(architectures):
    """To first order: token logits times the scale of the norm and the step."""
    decoder = load_decoder(settings_of(architectures["llama"]))
    lens = Lens.of(decoder)
    vector = value_vectors(decoder, 2)[7]
    state = torch.randn(32, generator=torch.Generator().manual_seed(0))
    step, scale = 1e-3, lens.scale(state)
    moved = lens.norm_gain * (state + step * vector) * scale
    change = lens.uncapped(moved) - lens.uncapped(lens.norm_gain * state * scale)
    expected = token_logits(lens, vector[None])[0] * scale * step
    torch.testing.assert_close(change, expected, atol=1e-5, rtol=1e-2)


def test_cosines_and_extremes():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]])
    found = cosines(vectors, torch.tensor([5.0, 0.0]))
    assert found.tolist() == [1.0, 0.0, -1.0, 0.0]
    assert extreme_units(found, 1) == {"for": [0], "against": [2]}
    assert len(extreme_units(found, 9)["for"]) == 4
