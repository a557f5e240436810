"""A small study of the shipped pocket model, with thoughts that it generates itself."""

import json

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings

from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import TracePrompt, trace_rows
from problems.tables import PROBLEMS
from traces.tables import TRACES

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
    lines = (ROOT / "resources/pocket/problems.jsonl").read_text().splitlines()
    problems = [json.loads(line) for line in lines[:COUNT]]
    prompts = [
        TracePrompt(
            f"{k:05d}",
            0,
            problem["answer"].rpartition("#### ")[2],
            tokenizer.prompt_ids(problem["question"]),
            problem["question"],
        )
        for k, problem in enumerate(problems)
    ]
    requests = [GenerationRequest(one.trace, one.prompt_ids, LIMIT) for one in prompts]
    stops = tokenizer.stops_with(decoder.stop_ids)
    done = {
        one.trace: one
        for one, _ in generate(decoder.hf, requests, SAMPLING, stops, 7)
        if one is not None
    }
    rows, note = trace_rows(prompts, done, tokenizer)
    assert not note
    table = [
        {
            "problem": one.problem,
            "question": one.question,
            "gold": one.gold,
            "solution": one.gold,
        }
        for one in prompts
    ]
    folder = tmp_path_factory.mktemp("decoding-actions")
    TRACES.write(TRACES.frame(rows), folder / "traces.parquet")
    PROBLEMS.write(PROBLEMS.frame(table), folder / "problems.parquet")
    return folder
