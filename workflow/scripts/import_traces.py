"""Finished thoughts from a file, as traces of the study's tokenizer.

Inputs
    source: .jsonl or .parquet with the columns `question`, `gold`, `thought`, `answer`
        (the text after the thought) and optionally `closed` (false: the thought was cut
        off).
    problems: `schemas.PROBLEMS`, made from the same file.

Outputs
    traces: one row per thought (`schemas.TRACES`), `logprobs` null.
    runs: what was read (`schemas.RUNS`).
"""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.errors import InputError
from doubletake.logs import job
from doubletake.problems import read_rows, text_of
from doubletake.schemas.problems import PROBLEMS
from doubletake.schemas.runs import RUNS
from doubletake.schemas.traces import TRACES
from doubletake.studies import ModelSettings
from doubletake.tokens import TraceTokenizer, load_tokenizer
from doubletake.traces import Completion, Prompted, traces_table

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("import_traces")


def completion_ids(
    thought: str, answer: str, *, closed: bool, tokenizer: TraceTokenizer
) -> list[int]:
    """Tokens of a completion with this thought, as the model would have written it.

    Thought and answer are foreign text: what looks like a special token in them stays
    text, the markers between them are ours.
    """
    opening = [] if tokenizer.prompt_opens_thought else [f"{tokenizer.start_marker}\n"]
    ids = [index for text in opening for index in tokenizer.encode(text)]
    ids += tokenizer.encode_plain(thought)
    if closed:
        ids += tokenizer.encode(f"\n{tokenizer.settings.end_of_thought}\n\n")
        ids += tokenizer.encode_plain(answer)
    return ids


def completions_of(
    source: str, limit: int | None, problems: pl.DataFrame, tokenizer: TraceTokenizer
) -> tuple[list[Prompted], dict[str, Completion]]:
    """Prompts and imported completions, in the order of the file.

    Raises:
        InputError: a row lacks a text, or its question is none of the problems.
    """
    by_question = {
        question: (problem, gold, tokenizer.prompt_ids(question))
        for problem, question, gold in problems.select(
            "problem", "question", "gold"
        ).iter_rows()
    }
    counts: dict[str, int] = {}
    prompts, completions = [], {}
    for place, row in read_rows(source, ("question", "gold", "thought"), limit):
        if row["question"] not in by_question:
            raise InputError(f"{place}: the question is not among the problems")
        problem, gold, prompt = by_question[row["question"]]
        sample = counts[problem] = counts.get(problem, -1) + 1
        prompted = Prompted(problem, sample, gold, prompt)
        answer = str(row.get("answer") or "")
        answer = text_of({"answer": answer}, "answer", place, empty=True)
        closed = bool(row.get("closed", bool(answer)))
        thought = text_of(row, "thought", place, empty=True)
        ids = completion_ids(thought, answer, closed=closed, tokenizer=tokenizer)
        finish = "stop" if closed else "length"
        prompts.append(prompted)
        completions[prompted.trace] = Completion(prompted.trace, ids, None, finish)
    return prompts, completions


def main(
    *,
    source: str,
    limit: int | None,
    problems_path: Path,
    traces_path: Path,
    runs_path: Path,
    model: ModelSettings,
) -> None:
    """Read the thoughts, tokenize them once, write the tables."""
    started = time.monotonic()
    problems = PROBLEMS.read(problems_path)
    tokenizer = load_tokenizer(model)
    prompts, completions = completions_of(source, limit, problems, tokenizer)
    traces, note = traces_table(prompts, completions, tokenizer)
    logger.info("%d thoughts imported from %s", traces.height, source)
    run = {
        "stage": "import_traces",
        "shard": "1-of-1",
        "traces": traces.height,
        "tokens": 0,
        "seconds": time.monotonic() - started,
        "device": "none: imported",
        "dtype": model.dtype,
        "note": note,
    }
    RUNS.write(RUNS.frame([run]), runs_path)
    TRACES.write(traces.sort("problem", "sample"), traces_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            source=snakemake.input.source[0],
            limit=snakemake.params.limit,
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.output.traces),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
        )
