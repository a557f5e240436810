"""Writes a small study of the pocket model: problems, its thoughts, their events."""

import json
from collections.abc import Callable
from pathlib import Path

from checkouts import ROOT

from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.token_sampling import Sampling
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import TracePrompt, trace_rows
from events.detect import Settings, main
from problems.tables import PROBLEMS
from traces.tables import TRACES

SAMPLING = Sampling(0.6, 0.95, 3)
EVENTS = Settings("rules", {"backtrack": ["Wait", "But"], "wrap_up": ["So"]})


def write_pocket_study(
    folder: Path,
    decoder: Decoder,
    tokenizer: TraceTokenizer,
    count: int,
    limit: int,
    wrong: Callable[[int], bool] = lambda _: False,
) -> list[str]:
    """Write `problems.parquet`, `traces.parquet` and `events.parquet`.

    Args:
        folder: of the study's results.
        decoder: the pocket model.
        tokenizer: of the pocket model.
        count: number of problems, each with one thought.
        limit: largest length of a completion, in tokens.
        wrong: whether the reference answer of the k-th problem is made wrong, so that
            its thought ends wrong.

    Returns:
        The names of the problems.
    """
    lines = (ROOT / "resources/pocket/problems.jsonl").read_text().splitlines()
    prompts = []
    for k, problem in enumerate(map(json.loads, lines[:count])):
        gold = problem["answer"].rpartition("#### ")[2]
        question = problem["question"]
        ids = tokenizer.prompt_ids(question)
        gold = "98765" if wrong(k) else gold
        prompts.append(TracePrompt(f"{k:05d}", 0, gold, ids, question))
    requests = [GenerationRequest(one.trace, one.prompt_ids, limit) for one in prompts]
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
    folder.mkdir(parents=True, exist_ok=True)
    TRACES.write(TRACES.frame(rows), folder / "traces.parquet")
    PROBLEMS.write(PROBLEMS.frame(table), folder / "problems.parquet")
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        events_path=folder / "events.parquet",
        settings=EVENTS,
    )
    return [one.problem for one in prompts]
