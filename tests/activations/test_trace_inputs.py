"""Which traces have their log-probs replayed, and what a replay costs."""

from dataclasses import replace

import pytest

from activations.trace_inputs import TraceInput, with_drawn_replays
from doubletake.model.batch_memory import unembedding_in_layers
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification


def test_replayed_traces_keep_to_their_share_and_minimum(model):
    decoder = load_decoder(model)
    inputs = [
        TraceInput(f"{k}/0", [1] * (40 + k), 5, None, [0.0] * (35 + k), [], 0)
        for k in range(30)
    ]
    inputs.append(replace(inputs[0], trace="imported/0", logprobs=None))
    cost = unembedding_in_layers(decoder)

    def tokens(settings: Verification) -> list[int]:
        drawn = with_drawn_replays(inputs, decoder, settings)
        assert [item.trace for item in drawn] == [item.trace for item in inputs]
        return [len(item.logprobs) for item in drawn if item.logprobs is not None]

    work = sum(len(item.ids) for item in inputs) * decoder.n_layers
    some = tokens(Verification(share=0.1, minimum=1, seed=0))
    assert 1 < len(some) < 30
    assert cost * sum(some) <= 0.1 * work
    assert len(tokens(Verification(share=1e-9, minimum=4, seed=0))) == 4
    assert len(tokens(Verification(share=1.0, minimum=100, seed=0))) == 30


def test_the_cost_of_unembedding_follows_the_weights(model):
    decoder = load_decoder(model)
    layer = decoder.layers[0]
    weights = [w.numel() for name, w in layer.named_parameters() if w.ndim == 2]
    wanted = decoder.unembed.weight.numel() / sum(weights)
    assert unembedding_in_layers(decoder) == pytest.approx(wanted)
