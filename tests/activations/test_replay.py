"""Figures of the replay and of the self-proof against those counted by hand."""

from dataclasses import replace

import pytest
import torch

from activations.items import Item, replayed
from activations.replay import figures_of
from doubletake.model.batch_memory import unembedding_in_layers
from doubletake.model.loading import load_decoder
from doubletake.model.self_proof import PROOF_TOKENS, Proof
from doubletake.stats.verification import Verification

PROOF = Proof(1e-7, 2e-7, 3e-7, 4e-7, 5e-7, 6e-7, bound=1e-4)
REPLAY = "replayed log-probs against generated ones"


def test_differences_become_maximum_mean_and_shares():
    rows = figures_of(PROOF, torch.tensor([0.0, 0.002, 0.05, 0.2]), "bfloat16")
    replay = {row.statistic: row for row in rows if row.check == REPLAY}
    values = {name: row.value for name, row in replay.items()}
    assert values == pytest.approx(
        {
            "tokens": 4,
            "max |difference|": 0.2,
            "mean |difference|": 0.063,
            "|difference| > 0.001 nats": 0.75,
            "|difference| > 0.01 nats": 0.5,
            "|difference| > 0.1 nats": 0.25,
        }
    )
    bounds = {name: row.bound for name, row in replay.items() if row.bound}
    assert bounds == {"mean |difference|": 5e-2}


def test_without_generated_log_probs_the_self_proof_is_left():
    replay, *proof = figures_of(PROOF, torch.zeros(0), "float32")
    assert (replay.statistic, replay.value, replay.n) == ("tokens", None, 0)
    assert [row.value for row in proof] == list(PROOF.errors.values())
    assert {(row.n, row.bound) for row in proof} == {(PROOF_TOKENS, 1e-4)}


def test_replayed_traces_keep_to_their_share_and_minimum(model):
    decoder = load_decoder(model)
    items = [
        Item(f"{k}/0", [1] * (40 + k), 5, None, [0.0] * (35 + k), [], 0)
        for k in range(30)
    ]
    items.append(replace(items[0], trace="imported/0", logprobs=None))
    cost = unembedding_in_layers(decoder)

    def tokens(settings: Verification) -> list[int]:
        found = replayed(items, decoder, settings)
        assert [item.trace for item in found] == [item.trace for item in items]
        return [len(item.logprobs) for item in found if item.logprobs is not None]

    work = sum(len(item.ids) for item in items) * decoder.n_layers
    some = tokens(Verification(share=0.1, minimum=1, seed=0))
    assert 1 < len(some) < 30
    assert cost * sum(some) <= 0.1 * work
    assert len(tokens(Verification(share=1e-9, minimum=4, seed=0))) == 4
    assert len(tokens(Verification(share=1.0, minimum=100, seed=0))) == 30


def test_the_cost_of_unembedding_is_that_of_the_weights(model):
    decoder = load_decoder(model)
    layer = decoder.layers[0]
    weights = [w.numel() for name, w in layer.named_parameters() if w.ndim == 2]
    wanted = decoder.unembed.weight.numel() / sum(weights)
    assert unembedding_in_layers(decoder) == pytest.approx(wanted)
