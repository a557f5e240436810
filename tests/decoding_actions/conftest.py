"""A small study of the shipped pocket model, with thoughts that it generates itself."""

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.text.tokenizer import load_tokenizer

COUNT, LIMIT = 12, 200
SAMPLING = Sampling(0.6, 0.95, 3)


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def tokenizer(pocket):
    return load_tokenizer(pocket)


@pytest.fixture(scope="session")
def decoder(pocket):
    return load_decoder(pocket)


@pytest.fixture(scope="session")
def study(tmp_path_factory, tokenizer, decoder):
    """Folder with the tables of problems and traces."""
    folder = tmp_path_factory.mktemp("decoding-actions")
    write_pocket_study(folder, decoder, tokenizer, COUNT, LIMIT)
    return folder
