"""A small study of the pocket model; half of its reference answers are made wrong."""

import json

import pytest
import torch
from checkouts import ROOT
from tiny_directions import write_tiny_directions
from tiny_models import tokenizer_settings

from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import TracePrompt, trace_rows
from problems.tables import PROBLEMS
from traces.tables import TRACES

COUNT, LIMIT = 16, 200
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
    """Folder with problems, traces and random directions.

    Every second problem is to test. The reference answer of every fourth is wrong, so
    that thoughts on it end wrong.
    """
    lines = (ROOT / "resources/pocket/problems.jsonl").read_text().splitlines()
    prompts = []
    for k, problem in enumerate(map(json.loads, lines[:COUNT])):
        gold = problem["answer"].rpartition("#### ")[2]
        gold = "98765" if k % 4 == 1 else gold
        question = problem["question"]
        ids = tokenizer.prompt_ids(question)
        prompts.append(TracePrompt(f"{k:05d}", 0, gold, ids, question))
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
    folder = tmp_path_factory.mktemp("wrong-samples")
    TRACES.write(TRACES.frame(rows), folder / "traces.parquet")
    PROBLEMS.write(PROBLEMS.frame(table), folder / "problems.parquet")
    write_tiny_directions(folder, decoder, [one.problem for one in prompts])
    return folder
