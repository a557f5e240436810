"""A small study of the pocket model, with directions of random numbers."""

import json

import pytest
import torch
from checkouts import ROOT
from tiny_directions import write_tiny_directions
from tiny_models import tokenizer_settings

from doubletake.detector.detectors import find_events
from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_positions import thought_span
from doubletake.text.trace_rows import TracePrompt, trace_rows
from events.tables import EVENTS
from problems.tables import PROBLEMS
from steering.study_inputs import StudyPaths
from traces.tables import TRACES
from turns.reading import turn_words
from turns.tables import TURN_WORDS

COUNT, LIMIT, SEED = 16, 200, 3


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def decoder(pocket):
    return load_decoder(pocket)


@pytest.fixture(scope="session")
def study(tmp_path_factory, pocket, decoder):
    """Paths of the study's tables; every second problem is to test."""
    tokenizer = load_tokenizer(pocket)
    lines = (ROOT / "resources/pocket/problems.jsonl").read_text().splitlines()
    problems = [json.loads(line) for line in lines[:COUNT]]
    prompts = [
        TracePrompt(
            f"{k:05d}",
            0,
            one["answer"].rpartition("#### ")[2],
            tokenizer.prompt_ids(one["question"]),
            one["question"],
        )
        for k, one in enumerate(problems)
    ]
    requests = [GenerationRequest(one.trace, one.prompt_ids, LIMIT) for one in prompts]
    stops = tokenizer.stops_with(decoder.stop_ids)
    sampling = Sampling(0.6, 0.95, SEED)
    done = {
        one.trace: one
        for one, _ in generate(decoder.hf, requests, sampling, stops, 7)
        if one is not None
    }
    rows, _ = trace_rows(prompts, done, tokenizer)
    folder = tmp_path_factory.mktemp("steering")
    TRACES.write(TRACES.frame(rows), folder / "traces.parquet")
    table = [
        {"problem": p.problem, "question": p.question, "gold": p.gold, "solution": ""}
        for p in prompts
    ]
    PROBLEMS.write(PROBLEMS.frame(table), folder / "problems.parquet")
    events = [
        row for one, p in zip(rows, prompts, strict=True) for row in arrivals(one, p)
    ]
    EVENTS.write(EVENTS.frame(events), folder / "events.parquet")
    words = {"backtrack": ["Wait", "But", "Let"], "wrap_up": ["So"]}
    TURN_WORDS.write(turn_words(tokenizer, words), folder / "words.parquet")
    paths = write_tiny_directions(folder, decoder, [p.problem for p in prompts])
    return StudyPaths(
        problems=folder / "problems.parquet",
        traces=folder / "traces.parquet",
        events=folder / "events.parquet",
        parts=paths["problems"],
        directions=paths["vectors"],
        words=folder / "words.parquet",
    )


def arrivals(row, prompt):
    """Rows of `EVENTS` of the arrivals of a thought."""
    span = thought_span(row)
    thought = row["text"][slice(*span)]
    events = find_events(prompt.question, thought, prompt.gold, row["answer"], "rules")
    return [
        dict.fromkeys(EVENTS.schema)
        | {
            "trace": row["trace"],
            "event": k,
            "kind": "arrival",
            "ordinal": one.ordinal,
            "start": one.start,
            "end": one.end,
            "token": 0,
            "value": one.value,
        }
        for k, one in enumerate(events.shifted(span.start).arrivals)
    ]
