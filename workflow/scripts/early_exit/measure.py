"""What does the model answer when its thought is cut after each arrival?

Exit k follows arrival k of a thought; exit 0 stands before the first thought token. The
thought is cut after the sentence of the arrival and closed with the answer prompt. Then
the model answers greedily. All exits of a trace share one prefill, and several traces
are computed together (`doubletake.model.branch_rows`). Some exits are computed again
one by one, without these shortcuts, and the differences are written into a table.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`TRACES`).
    events: the arrivals (`EVENTS`).

Outputs
    exits: one row per trace and exit of the shard (`EARLY_EXIT`).
    verification: packed against plain forward passes, and how the retokenized end of a
        sentence changes the answers (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.model.branch_rows import continue_branches
from doubletake.model.decoder import Decoder
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import (
    Verification,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.grading import Task
from doubletake.text.tokenizer import load_tokenizer
from early_exit.exit_measurement import ExitMeasurement
from early_exit.exit_plans import PlannedPrefix, draw_checked_exits
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_early_exit")

STAGE = "early_exit"


@dataclass(frozen=True)
class Settings:
    """The part of the `early_exit` section that the computation reads."""

    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_answer_tokens: int
    """Longest forced answer, in tokens."""
    batch_memory: float
    """Memory for a batch of traces in addition to the model, in GiB."""
    verification: Verification
    """How many exits of a shard are computed again in plain passes."""


def measure_exits(
    decoder: Decoder,
    prompt: AnswerPrompt,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    problems: dict[str, tuple[str, str]],
    settings: Settings,
) -> tuple[ExitMeasurement, Progress]:
    """Compute all exits of these traces.

    Args:
        decoder: the model.
        prompt: that leads to the answers.
        traces: of `TRACES`.
        events: of `EVENTS`.
        problems: reference answer and question by problem.
        settings: of the stage.
    """
    measurement = ExitMeasurement(decoder, prompt, settings.max_answer_tokens)
    arrivals = events.filter(pl.col("kind") == "arrival").partition_by(
        "trace", as_dict=True
    )
    plans = []
    for trace in traces.iter_rows(named=True):
        rows = arrivals.get((trace["trace"],))
        plan = measurement.plan(trace, [] if rows is None else rows.to_dicts())
        plans += [] if plan is None else [plan]
    checked = draw_checked_exits(plans, settings.verification)
    planned = [PlannedPrefix.of(plan, checked) for plan in plans]
    progress = Progress(traces.height, "traces")
    progress.update(len(measurement.refused))
    for number, continuations in continue_branches(
        decoder, [each.prefix for each in planned], settings.batch_memory
    ):
        trace = plans[number].trace
        task = Task(*problems[trace["problem"]], trace["text"][: trace["thought_stop"]])
        tokens = measurement.add(planned[number], continuations, task, checked)
        progress.update(1, tokens)
    progress.close()
    return measurement, progress


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    exits_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read the shard's traces, compute their exits, write the three tables."""
    traces = rows_of_shard(TRACES.read(traces_path), shard)
    columns = PROBLEMS.read(problems_path).select("problem", "gold", "question")
    problems = {name: (gold, question) for name, gold, question in columns.iter_rows()}
    tokenizer, decoder = load_tokenizer(model), load_decoder(model)
    prompt = AnswerPrompt(
        tokenizer,
        settings.answer_prompt,
        settings.answer_stop,
        decoder.stop_ids,
    )
    events = EVENTS.read(events_path)
    measured, progress = measure_exits(
        decoder, prompt, traces, events, problems, settings
    )
    figures = [
        *measured.differences.figures(decoder.dtype),
        *measured.rounding.figures(decoder.dtype),
        *measured.retokenization.figures(),
    ]
    for item in figures:
        logger.info("verification: %s %s over %d", item.statistic, item.value, item.n)
    traces_measured = traces.height - len(measured.refused)
    run = run_row(STAGE, shard, progress, decoder, traces_measured, measured.note)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(run, runs_path)
    EARLY_EXIT.write(EARLY_EXIT.frame(measured.rows), exits_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            exits_path=Path(snakemake.output.exits),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
