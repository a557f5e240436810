"""Nucleus sampling against the distribution that it must follow."""

import pytest
import torch

from doubletake.model.token_sampling import Sampling, choose_tokens


def test_choice_follows_the_nucleus_distribution():
    probabilities = torch.tensor([0.05, 0.5, 0.15, 0.3])
    sampling = Sampling(temperature=1.0, top_p=0.9, seed=0)
    count = 20_000
    uniform = (torch.arange(count) + 0.5) / count
    tokens = choose_tokens(probabilities.log().expand(count, -1), uniform, sampling)
    shares = torch.bincount(tokens, minlength=4) / count
    kept = torch.tensor([0.0, 0.5, 0.15, 0.3]) / 0.95
    assert shares == pytest.approx(kept, abs=1e-3)


def test_temperature_sharpens():
    logits = torch.tensor([0.0, 1.0]).expand(1000, -1)
    uniform = (torch.arange(1000) + 0.5) / 1000
    share = choose_tokens(logits, uniform, Sampling(0.5, 1.0, 0)).float().mean().item()
    assert share == pytest.approx(torch.tensor(2.0).sigmoid().item(), abs=2e-3)
