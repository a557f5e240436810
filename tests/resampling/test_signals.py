"""Masses of words, as they stand and as they are drawn."""

import math

import numpy as np
import pytest
import torch

from doubletake.model.token_sampling import Sampling, choose_tokens
from resampling.signals import Words, nucleus, word_mass

WORDS = Words(torch.tensor([0, 3]), torch.tensor([1]))


def test_the_mass_leaves_white_space_out():
    mass = torch.tensor([[0.2, 0.5, 0.2, 0.1], [0, 1.0, 0, 0]]).double()
    found = word_mass(mass, WORDS).tolist()
    assert found[0] == pytest.approx(0.3 / 0.5)
    assert math.isnan(found[1])


@pytest.mark.parametrize("temperature", [0.0, 0.6])
def test_the_nucleus_has_the_probabilities_with_which_tokens_are_drawn(temperature):
    sampling = Sampling(temperature, 0.9, 0)
    logits = torch.tensor([[1.0, 0.3, 0.1, -0.4, -3.0, -6.0]])
    uniform = (torch.arange(2000).double() + 0.5) / 2000
    drawn = choose_tokens(logits.expand(2000, -1), uniform, sampling)
    shares = np.bincount(drawn.numpy(), minlength=6) / 2000
    torch.testing.assert_close(
        nucleus(logits, sampling)[0], torch.tensor(shares), atol=2e-3, rtol=0
    )
