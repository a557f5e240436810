"""Thoughts of the model on its share of the problems.

Inputs
    problems: `PROBLEMS`.
    model: the files of a local model.
    the folder `.earlier` beside the traces, if an earlier run left one: traces in it
        that would come out the same are kept. If the last attempt was killed, its
        checkpoint lies there (`doubletake.model.checkpoints`), and this attempt goes
        on from it.

Outputs
    traces: one row per thought (`TRACES`).
    runs: what was computed, where, how fast (`RUNS`).
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.checkpoints import Checkpoint
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.token_sampling import Sampling
from doubletake.running.cache_keys import cache_key
from doubletake.running.digests import code_digest
from doubletake.running.logs import Progress, job
from doubletake.running.store import Store
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from doubletake.text.trace_rows import Completion, TracePrompt, trace_rows, verdict_on
from problems.tables import PROBLEMS
from traces.earlier_traces import (
    add_to_store,
    checkpoint_path,
    join_rows,
    keep_for_next_run,
    rows_in_store,
    rows_of_last_run,
)
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("generate_traces")


@dataclass(frozen=True)
class Settings:
    """The `generation` section of the config."""

    backend: str
    """The library that generates."""
    samples: int
    """Thoughts per problem."""
    temperature: float
    """Divides the logits; 0 takes the most likely token."""
    top_p: float
    """Share of probability that sampling keeps."""
    max_new_tokens: int
    """Longest completion, in tokens."""
    batch_size: int
    """Number of thoughts that are generated at the same time."""
    seed: int
    """The same seed, problem, sample and position give the same random number."""


def prompts_of(
    problems: pl.DataFrame, samples: int, tokenizer: TraceTokenizer
) -> list[TracePrompt]:
    """The prompts of all traces on these problems, in order."""
    prompts = []
    for row in problems.iter_rows(named=True):
        ids = tokenizer.prompt_ids(row["question"])
        prompts += [
            TracePrompt(row["problem"], sample, row["gold"], ids, row["question"])
            for sample in range(samples)
        ]
    return prompts


def split_reusable(
    prompts: list[TracePrompt], earlier: dict[str, dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[TracePrompt]]:
    """Earlier rows with exactly these prompts, and the prompts without an earlier row.

    The gold answers may have changed since the earlier run. So `answer` and `correct`
    are computed again for every kept row.
    """
    kept = {}
    for prompt in prompts:
        row = earlier.get(prompt.trace)
        if row is not None and row["prompt_ids"] == prompt.prompt_ids:
            start = None if row["thought_end"] is None else row["answer_start"]
            verdict = verdict_on(prompt, row["text"], start)
            kept[prompt.trace] = row | verdict._asdict()
    return kept, [prompt for prompt in prompts if prompt.trace not in kept]


def deciding_settings(
    model: ModelSettings, settings: Settings, code: str
) -> dict[str, Any]:
    """All settings that decide the thoughts on a prompt, without the model's files.

    Device and batch size are left out, because they change the rounding only. The
    number of samples is left out, because the samples of a problem are independent.

    Args:
        model: of the study.
        settings: of the generation.
        code: digest of the running code. The digest in the rule's params is older: it
            was taken when Snakemake started.
    """
    every = {**asdict(model), **asdict(settings), "code": code}
    without_effect = ("device", "batch_size", "samples")
    return {key: value for key, value in every.items() if key not in without_effect}


def requests_of(
    prompts: list[TracePrompt], max_new_tokens: int, max_positions: int
) -> tuple[list[GenerationRequest], str]:
    """Generation requests, and a note on prompts that leave no room for a completion.

    A completion never runs past the model's positions.
    """
    requests, refused = [], []
    for prompt in prompts:
        limit = min(max_new_tokens, max_positions - len(prompt.prompt_ids))
        if limit < 1:
            refused.append(prompt.trace)
        else:
            requests.append(GenerationRequest(prompt.trace, prompt.prompt_ids, limit))
    names = ", ".join(refused)
    note = f"refused, prompt of {max_positions} tokens or more: {names}"
    return requests, note if refused else ""


def completions_of(
    decoder: Decoder,
    requests: list[GenerationRequest],
    stop_ids: set[int],
    settings: Settings,
    checkpoint: Checkpoint,
    progress: Progress,
) -> dict[str, Completion]:
    """Completions of all requests, by trace id; those of the checkpoint are kept."""
    sampling = Sampling(settings.temperature, settings.top_p, settings.seed)
    completions = {done.trace: done for done in checkpoint.state.finished}
    progress.keep(len(completions))
    for completion, tokens in generate(
        decoder.hf, requests, sampling, stop_ids, settings.batch_size, checkpoint
    ):
        if completion is not None:
            completions[completion.trace] = completion
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
    """Read the shard's problems, generate the new traces, write the tables."""
    problems = rows_of_shard(PROBLEMS.read(problems_path), shard)
    tokenizer = load_tokenizer(model)
    wanted = prompts_of(problems, settings.samples, tokenizer)
    key = cache_key(deciding_settings(model, settings, code), model_paths)
    store = Store.here()
    earlier = rows_in_store(store, key) | rows_of_last_run(key, traces_path)
    kept, prompts = split_reusable(wanted, earlier)
    decoder = load_decoder(model)
    requests, too_long = requests_of(
        prompts, settings.max_new_tokens, decoder.max_positions
    )
    path = checkpoint_path(traces_path)
    checkpoint = Checkpoint(path, key, requests, settings.batch_size)
    if checkpoint.note:
        logger.info("%s", checkpoint.note)
    progress = Progress(len(requests), "traces")
    stop_ids = tokenizer.stops_with(decoder.stop_ids)
    completions = completions_of(
        decoder, requests, stop_ids, settings, checkpoint, progress
    )
    progress.close()
    rows, no_text = trace_rows(prompts, completions, tokenizer)
    new = TRACES.frame(rows)
    traces = join_rows([prompt.trace for prompt in wanted], kept, new)
    reused = f"{len(kept)} thoughts kept from an earlier run" if kept else ""
    said = [too_long, no_text, reused, checkpoint.note, tokenizer.date_note]
    notes = "; ".join(filter(None, said))
    run = run_row("traces", shard, progress, decoder, new.height, notes)
    RUNS.write(run, runs_path)
    TRACES.write(traces, traces_path)
    keep_for_next_run(key, traces_path)
    checkpoint.remove()
    add_to_store(store, key, traces_path, new)


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
