"""Finished thoughts from files or the hub, as traces of the study's tokenizer.

Inputs
    source: rows in a form that `doubletake.user_files` knows, which hold `question`,
        `gold`, `thought`, and optionally `answer` (the text after the thought) and
        `closed` (false: the thought was cut off).
    problems: `PROBLEMS`, made from the same source.

Outputs
    traces: one row per thought (`TRACES`), `logprobs` null.
    runs: what was read (`RUNS`).
"""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.detector.user_thoughts import ThoughtAndAnswer, thought_and_answer
from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from doubletake.text.trace_rows import Completion, TracePrompt, trace_rows
from doubletake.text.user_rows import short
from doubletake.user_files.named_rows import dataset_rows
from doubletake.user_files.reading import DatasetSettings
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("retrieve_traces")


def completion_ids(
    written: ThoughtAndAnswer, origin: str, tokenizer: TraceTokenizer
) -> list[int]:
    """Tokens of a completion with this thought, as the model would have written it.

    Thought and answer are foreign text: words in them that look like special tokens
    stay text. Line breaks of Windows become those that models write. The markers
    between thought and answer are the model's special tokens.

    Args:
        written: thought and answer.
        origin: file and line, for messages.
        tokenizer: of the study's model.

    Raises:
        InputError: decoding the tokens gives another text than the thought.
    """
    thought, answer = (
        (part or "").replace("\r\n", "\n") for part in (written.thought, written.answer)
    )
    ids = tokenizer.encode(tokenizer.opening_left)
    ids += tokenizer.encode_plain(thought)
    if written.closed:
        ids += tokenizer.encode(tokenizer.format.closing)
        ids += tokenizer.encode_plain(answer)
    text, _ = tokenizer.decode(ids)
    edges = tokenizer.edges(text)
    decoded = text[edges.start : edges.stop]
    if decoded != thought or (edges.marker is not None) != written.closed:
        raise InputError(
            f"{origin}: the tokenizer of {tokenizer.name} does not give the thought "
            f"back; {_first_difference(thought, decoded)}"
        )
    return ids


def _first_difference(given: str, decoded: str) -> str:
    """The first character at which two texts differ, in words."""
    pairs = enumerate(zip(given, decoded, strict=False))
    shorter = min(len(given), len(decoded))
    at = next((k for k, (a, b) in pairs if a != b), shorter)
    parts = [short(text[at : at + 20]) for text in (given, decoded)]
    return f"at character {at} {parts[0]} becomes {parts[1]}"


def completions_of(
    settings: DatasetSettings, problems: pl.DataFrame, tokenizer: TraceTokenizer
) -> tuple[list[TracePrompt], dict[str, Completion]]:
    """Prompts and imported completions, in the order of the source.

    Raises:
        InputError: a row has no text, or its question is not among the problems.
    """
    by_question = {
        question: (problem, gold, tokenizer.prompt_ids(question))
        for problem, question, gold in problems.select(
            "problem", "question", "gold"
        ).iter_rows()
    }
    counts: dict[str, int] = {}
    prompts, completions = [], {}
    for origin, row in dataset_rows(settings):
        if row["question"] not in by_question:
            raise InputError(f"{origin}: the question is not among the problems")
        problem, gold, prompt_ids = by_question[row["question"]]
        sample = counts[problem] = counts.get(problem, -1) + 1
        prompt = TracePrompt(problem, sample, gold, prompt_ids, row["question"])
        written = thought_and_answer(row, origin, [tokenizer.format])
        ids = completion_ids(written, origin, tokenizer)
        finish = "stop" if written.closed else "length"
        prompts.append(prompt)
        completions[prompt.trace] = Completion(prompt.trace, ids, None, finish)
    return prompts, completions


def main(
    *,
    settings: DatasetSettings,
    problems_path: Path,
    traces_path: Path,
    runs_path: Path,
    model: ModelSettings,
) -> None:
    """Read the thoughts, tokenize them once, write the tables."""
    started = time.monotonic()
    problems = PROBLEMS.read(problems_path)
    tokenizer = load_tokenizer(model)
    prompts, completions = completions_of(settings, problems, tokenizer)
    rows, note = trace_rows(prompts, completions, tokenizer)
    traces = TRACES.frame(rows)
    logger.info("%d thoughts imported from %s", traces.height, settings.source)
    run = {
        "stage": "traces",
        "shard": ONE_SHARD,
        "traces": traces.height,
        "tokens": 0,
        "seconds": time.monotonic() - started,
        "device": "none: imported",
        "dtype": model.dtype,
        "note": "; ".join(filter(None, [note, tokenizer.date_note])),
    }
    RUNS.write(RUNS.frame([run]), runs_path)
    TRACES.write(traces.sort("problem", "sample"), traces_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            settings=DatasetSettings(**snakemake.params.settings),
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.output.traces),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
        )
