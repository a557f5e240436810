"""The tiny random model, with random directions."""

import pytest
import torch
from tiny_directions import tiny_directions

from doubletake.model.loading import load_decoder
from doubletake.text.tokenizer import load_tokenizer


@pytest.fixture(scope="session")
def decoder(model):
    torch.set_num_threads(1)
    return load_decoder(model)


@pytest.fixture(scope="session")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="session")
def directions(decoder):
    return tiny_directions(decoder)
