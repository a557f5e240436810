"""Does a thought make its answer surer than stating the answer again and again does?

The thought is cut at its first arrival. Its answer's sentence is repeated there, with
the same or with another number, or neutral sentences follow. At every exit the model
reads given answers, so the answer is fixed, while `early_exit` measures the answer that
the model gives there.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: thoughts as token ids, with the character of each token (`TRACES`).
    events: the arrivals (`EVENTS`).

Outputs
    repetition: one row per trace, arm, exit and answer (`REPETITION`).
    verification: given answers against plain passes and against their decoding, and the
        texts of the arms (`VERIFICATION`).
    runs: what it cost (`RUNS`); empty if there is no thought to measure.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from problems.tables import PROBLEMS
from repetition.cases import drawn_cases
from repetition.measurement import (
    all_plans,
    forced_first_answers,
    measured,
    with_shared_exits,
)
from repetition.tables import REPETITION
from repetition.verification_figures import Checks
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_repetition")

STAGE = "repetition"
ORDER = ("trace", "arm", "exit", "answer")


@dataclass(frozen=True)
class Settings:
    """The `repetition` section, and what it shares with `early_exit`."""

    answer_prompt: str
    """Text put where the thought is cut; holds the end-of-thought marker once."""
    answer_stop: str
    """Text that ends a forced answer."""
    max_answer_tokens: int
    """Longest answer at exit 1, in tokens."""
    thoughts: int
    """Largest number of thoughts of each outcome of the first arrival."""
    most: int
    """Largest number of exits of a thought."""
    filler: list[str]
    """Neutral sentences."""
    seed: int
    """Seed of the draw of thoughts and of wrong numbers."""
    batch_memory: float
    """Memory for a batch in addition to the model, in GiB."""
    verification: Verification
    """How many scores are computed again in plain passes."""


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    events_path: Path,
    repetition_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, build the arms, score the answers, write the tables."""
    traces, problems = TRACES.read(traces_path), PROBLEMS.read(problems_path)
    events, tokenizer = EVENTS.read(events_path), load_tokenizer(model)
    decoder = load_decoder(model)
    prompt = AnswerPrompt(
        tokenizer, settings.answer_prompt, settings.answer_stop, decoder.stop_ids
    )
    cases = drawn_cases(
        traces, problems, events, prompt, settings.thoughts, settings.seed
    )
    rows: list[dict[str, Any]] = []
    checks, runs, gib = Checks(), RUNS.frame([]), settings.batch_memory
    if cases:
        progress = Progress(0, "arms")
        answers, notes = forced_first_answers(
            decoder, prompt, cases, settings.max_answer_tokens, gib, progress
        )
        plans, refused = all_plans(cases, answers, decoder, prompt, settings)
        progress.expect(len(plans))
        rows, checks = measured(
            decoder, prompt, plans, gib, settings.verification, progress
        )
        progress.close()
        note = "; ".join(notes + refused)
        runs = run_row(STAGE, ONE_SHARD, progress, decoder, len(cases), note)
    else:
        logger.info("nothing to measure: no thought has two arrivals")
    figures = checks.figures(decoder.dtype)
    for item in figures:
        logger.info("verification: %s %s of %d", item.check, item.value, item.n)
    VERIFICATION.write(verification_of(STAGE, figures), verification_path)
    RUNS.write(runs, runs_path)
    table = REPETITION.frame(with_shared_exits(rows)).sort(*ORDER)
    REPETITION.write(table, repetition_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            repetition_path=Path(snakemake.output.repetition),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
