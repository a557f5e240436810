"""A small study of the pocket model."""

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.read import read_truth
from truth.tables import TRUTH

COUNT, LIMIT = 16, 200


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def tokenizer(pocket):
    return load_tokenizer(pocket)


@pytest.fixture(scope="session")
def study(tmp_path_factory, pocket, tokenizer):
    """Folder with problems, traces, events and truth."""
    from doubletake.model.loading import load_decoder

    folder = tmp_path_factory.mktemp("mistakes")
    write_pocket_study(folder, load_decoder(pocket), tokenizer, COUNT, LIMIT)
    traces, problems = (
        table.read(folder / f"{table.key}.parquet") for table in (TRACES, PROBLEMS)
    )
    questions = dict(problems.select("problem", "question").iter_rows())
    TRUTH.write(read_truth(traces, questions)[0], folder / "truth.parquet")
    return folder
