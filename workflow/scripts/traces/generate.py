"""Thoughts of the model on its share of the problems.

Inputs
    problems: `schemas.PROBLEMS`.

    the files of a local model.
    what an earlier run left in the folder `.earlier` beside the traces, if anything:
        thoughts that would come out the same are kept.

Outputs
    traces: one row per thought (`schemas.TRACES`).
    runs: what was computed, where, how fast (`schemas.RUNS`).
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.running.cache_keys import cache_key
from doubletake.running.digests import code_digest
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
from doubletake.running.store import Store
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from problems.tables import PROBLEMS
from traces.generation import Request, generate
from traces.reuse import (
    earlier_traces,
    keep_traces,
    store_traces,
    stored_traces,
    with_kept,
)
from traces.rows import Completion, Prompted, is_correct, traces_table
from traces.sampling import Sampling
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("generate_traces")


@dataclass(frozen=True)
class Settings:
    """The `generation` section of the config."""

    backend: str
    """What generates."""
    samples: int
    """Thoughts per problem."""
    temperature: float
    """Divides the logits; 0 takes the likeliest token."""
    top_p: float
    """Share of probability that sampling keeps."""
    max_new_tokens: int
    """Longest completion, in tokens."""
    batch_size: int
    """Thoughts generated side by side."""
    seed: int
    """With problem, sample and position it fixes every random number."""


def prompts_of(
    problems: pl.DataFrame, samples: int, tokenizer: TraceTokenizer
) -> list[Prompted]:
    """Every thought to be generated on the problems, in order."""
    prompts = []
    for row in problems.iter_rows(named=True):
        ids = tokenizer.prompt_ids(row["question"])
        prompts += [
            Prompted(row["problem"], sample, row["gold"], ids)
            for sample in range(samples)
        ]
    return prompts


def split_kept(
    prompts: list[Prompted], kept: dict[str, dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[Prompted]]:
    """Rows of an earlier run on the very same prompts, and the prompts without one.

    The gold answers may be others than then: whether a row is correct is asked anew.
    """
    same = {}
    for prompted in prompts:
        row = kept.get(prompted.trace)
        if row is not None and row["prompt_ids"] == prompted.prompt_ids:
            correct = is_correct(prompted.gold, row["answer"])
            same[prompted.trace] = row | {"correct": correct}
    return same, [prompted for prompted in prompts if prompted.trace not in same]


def deciding(model: ModelSettings, settings: Settings, code: str) -> dict[str, Any]:
    """What decides the thoughts on a prompt, the model's files apart.

    The batch is left out: it changes rounding only, as the number of shards does. The
    code's digest is that of the code that runs: what the rule's params hold is as old
    as the start of Snakemake.
    """
    told = {**asdict(model), **asdict(settings), "code": code}
    machine = ("device", "batch_size", "samples")
    return {key: value for key, value in told.items() if key not in machine}


def requests_of(
    prompts: list[Prompted], max_new_tokens: int, max_positions: int
) -> tuple[list[Request], str]:
    """Generation requests, and a note on prompts that leave no room for a completion.

    A completion never runs past the model's positions.
    """
    requests, refused = [], []
    for prompted in prompts:
        limit = min(max_new_tokens, max_positions - len(prompted.prompt_ids))
        if limit < 1:
            refused.append(prompted.trace)
        else:
            requests.append(Request(prompted.trace, prompted.prompt_ids, limit))
    names = ", ".join(refused)
    note = f"refused, prompt of {max_positions} tokens or more: {names}"
    return requests, note if refused else ""


def complete(
    decoder: Decoder,
    requests: list[Request],
    stop_ids: set[int],
    settings: Settings,
    progress: Progress,
) -> dict[str, Completion]:
    """Generate all requests, by trace id."""
    sampling = Sampling(settings.temperature, settings.top_p, settings.seed)
    completions = {}
    for completion, tokens in generate(
        decoder.hf, requests, sampling, stop_ids, settings.batch_size
    ):
        if completion is not None:
            completions[completion.key] = completion
        progress.update(completion is not None, tokens)
    return completions


def main(
    *,
    problems_path: Path,
    model_paths: list[Path],
    traces_path: Path,
    runs_path: Path,
    shard: str,
    model: ModelSettings,
    settings: Settings,
    code: str,
) -> None:
    """Read the shard's problems, generate what is new, write the tables."""
    problems = rows_of_shard(PROBLEMS.read(problems_path), shard)
    tokenizer = load_tokenizer(model)
    wanted = prompts_of(problems, settings.samples, tokenizer)
    key = cache_key(deciding(model, settings, code), model_paths)
    store = Store.here()
    earlier = stored_traces(store, key) | earlier_traces(key, traces_path)
    kept, prompts = split_kept(wanted, earlier)
    decoder = load_decoder(model)
    requests, too_long = requests_of(
        prompts, settings.max_new_tokens, decoder.config.max_position_embeddings
    )
    progress = Progress(len(requests), "traces")
    stops = tokenizer.stops_with(decoder.stop_ids)
    completions = complete(decoder, requests, stops, settings, progress)
    progress.close()
    new, note = traces_table(prompts, completions, tokenizer)
    traces = with_kept([prompted.trace for prompted in wanted], kept, new)
    again = f"{len(kept)} thoughts kept from an earlier run" if kept else ""
    notes = "; ".join(filter(None, [too_long, note, again, tokenizer.date_note]))
    run = run_row("traces", shard, progress, decoder, new.height, notes)
    RUNS.write(run, runs_path)
    TRACES.write(traces, traces_path)
    keep_traces(key, traces_path)
    store_traces(store, key, traces_path, new)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            model_paths=[Path(path) for path in snakemake.input.model],
            traces_path=Path(snakemake.output.traces),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
            code=code_digest("traces/generate"),
        )
