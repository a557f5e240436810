"""Zeroed units: a shared prefix against full passes and against linear algebra."""

import pytest
import torch
from tiny_architectures import DENSE, settings_of

from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from value_vectors.unit_zeroing import Zeroing, full_pass_states, zeroed_states

torch.set_num_threads(1)

IDS = [5, 17, 3, 60, 41, 8, 33, 12, 71, 25, 9]  # longer than the sliding windows
ZEROINGS = [
    Zeroing(0, ()),
    Zeroing(0, (3, 9)),
    Zeroing(1, (5, 6, 7, 40)),
    Zeroing(2, (1, 2, 60)),
]


@pytest.fixture(params=DENSE)
def decoder(request, architectures) -> Decoder:
    return load_decoder(settings_of(architectures[request.param]))


def test_a_shared_prefix_changes_nothing(decoder):
    for length in (1, 2, len(IDS)):
        ids = IDS[:length]
        shared = zeroed_states(decoder, ids, ZEROINGS, 0.1, "x")
        full = full_pass_states(decoder, ids, ZEROINGS, 0.1, "x")
        torch.testing.assert_close(shared, full, atol=2e-5, rtol=1e-4)


def test_small_batches_change_nothing(decoder):
    one = zeroed_states(decoder, IDS, ZEROINGS, 1e-9, "x")
    all_at_once = zeroed_states(decoder, IDS, ZEROINGS, 0.1, "x")
    torch.testing.assert_close(one, all_at_once, atol=2e-5, rtol=1e-4)


def test_zeroing_no_unit_gives_the_plain_model(decoder):
    with torch.no_grad():
        output = decoder.base(input_ids=torch.tensor([IDS]), use_cache=False)
    states = zeroed_states(decoder, IDS, ZEROINGS[:1], 0.1, "x")
    torch.testing.assert_close(
        states[0], output.last_hidden_state[0, -1], atol=2e-5, rtol=1e-4
    )


def test_every_set_changes_the_state(decoder):
    states = zeroed_states(decoder, IDS, ZEROINGS, 0.1, "x")
    assert ((states[1:] - states[0]).abs().amax(-1) > 1e-3).all()


def test_zeroing_subtracts_what_the_units_write(architectures):
    """In the last layer of a Llama, zeroing subtracts activation times column."""
    decoder = load_decoder(settings_of(architectures["llama"]))
    seen = []
    handles = [
        decoder.mlp_down(2).register_forward_pre_hook(lambda _, x: seen.append(x[0])),
        decoder.final_norm.register_forward_pre_hook(lambda _, x: seen.append(x[0])),
    ]
    with torch.no_grad():
        decoder.base(input_ids=torch.tensor([IDS]), use_cache=False)
    for handle in handles:
        handle.remove()
    units = [1, 2, 60]
    columns = decoder.mlp_down(2).weight[:, units]
    expected = seen[1][0, -1] - columns @ seen[0][0, -1, units]
    with torch.no_grad():
        expected = decoder.final_norm(expected)
    (state,) = zeroed_states(decoder, IDS, [Zeroing(2, tuple(units))], 0.1, "x")
    torch.testing.assert_close(state, expected, atol=2e-5, rtol=1e-4)
