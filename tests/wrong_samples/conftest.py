"""A small study of the pocket model; half of its reference answers are made wrong."""

import pytest
import torch
from checkouts import ROOT
from tiny_directions import write_tiny_directions
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

from doubletake.model.loading import load_decoder
from doubletake.text.tokenizer import load_tokenizer

COUNT, LIMIT = 16, 200


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
    """Folder with problems, traces and random directions.

    Every second problem is to test. The reference answer of every fourth is wrong, so
    that thoughts on it end wrong.
    """
    folder = tmp_path_factory.mktemp("wrong-samples")
    problems = write_pocket_study(
        folder, decoder, tokenizer, COUNT, LIMIT, lambda k: k % 4 == 1
    )
    write_tiny_directions(folder, decoder, problems)
    return folder
