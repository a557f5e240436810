"""Figures of the replay and of the self-proof against figures counted by hand."""

import pytest
import torch

from activations.verification_figures import verification_figures
from doubletake.model.self_proof import PROOF_TOKENS, Proof

PROOF = Proof(1e-7, 2e-7, 3e-7, 4e-7, 5e-7, 6e-7, 7e-7, 8e-7, 9e-7, bound=1e-4)
REPLAY = "replayed log-probs against generated ones"


def test_differences_become_maximum_mean_and_shares():
    rows = verification_figures(
        PROOF, torch.tensor([0.0, 0.002, 0.05, 0.2]), "bfloat16"
    )
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


def test_without_generated_log_probs_the_self_proof_remains():
    replay, *proof = verification_figures(PROOF, torch.zeros(0), "float32")
    assert (replay.statistic, replay.value, replay.n) == ("tokens", None, 0)
    assert [row.value for row in proof] == list(PROOF.errors.values())
    assert {(row.n, row.bound) for row in proof} == {(PROOF_TOKENS, 1e-4)}
