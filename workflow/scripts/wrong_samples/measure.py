"""What becomes of wrong and right thoughts that are continued from an arrival?

Thoughts that end wrong, and as many that end right, are cut at the end of the sentence
of their last arrival and continued several times: with a direction toward turning back,
with a forced word, with both, with random directions of the same length, and with
nothing but other random numbers (`resample`). A vote over resampled continuations has
the tokens of the dearest action. Right thoughts are also wrapped up at their first
arrival. Only problems that gave no direction are used. Where too few of them have a
wrong thought, further thoughts are sampled: those that the study would hold with one
more sample.

Inputs
    problems: questions and reference answers (`PROBLEMS`).
    traces: the study's thoughts (`TRACES`).
    recipes, parts, vectors: the directions, and the problems that gave none.

Outputs
    continuations: one row per thought, place, action and draw (`WRONG_SAMPLES`).
    thoughts: thoughts of the study and further ones (`THOUGHTS`).
    verification: strength 0 against no change, and whether forced tokens and changes
        of states are where they must be (`VERIFICATION`).
    runs: what the shard cost (`RUNS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from directions.reading import problems_to_test, read_directions
from directions.tables import DIRECTIONS
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row, run_row_on
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from wrong_samples.continuing import Continuing, Strengths
from wrong_samples.pushes import Pushes, check_directions
from wrong_samples.shard import Settings, Shard
from wrong_samples.tables import THOUGHTS, WRONG_SAMPLES
from wrong_samples.thoughts import Thoughts
from wrong_samples.verification_figures import Checks

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_wrong_samples")

STAGE = "wrong_samples"
FROM_A_FILE = "not measured: the thoughts come from a file, so they cannot be continued"


def continuing_of(
    decoder: Decoder, vectors_path: Path, model: ModelSettings, settings: Settings
) -> Continuing:
    """What decodes continuations."""
    s = settings
    directions = read_directions(vectors_path, model_name(model))
    return Continuing(
        decoder,
        load_tokenizer(model),
        Pushes(directions, round(s.layer * decoder.n_layers), s.seed),
        Strengths(s.direction, s.strength, s.wrap_up_strength),
        s.word,
        Sampling(s.temperature, s.top_p, s.generation_seed),
        s.max_new_tokens,
        s.batch_size,
        Progress(0, "continuations"),
    )


def not_continued(shard: str, dtype: str) -> pl.DataFrame:
    """The row of `RUNS` of a study whose thoughts come from a file."""
    logger.warning("%s", FROM_A_FILE)
    progress = Progress(0, "continuations")
    progress.close()
    return run_row_on(
        STAGE, shard, progress, torch.device("cpu"), dtype, 0, FROM_A_FILE
    )


def main(
    *,
    problems_path: Path,
    traces_path: Path,
    recipes_path: Path,
    parts_path: Path,
    vectors_path: Path,
    continuations_path: Path,
    thoughts_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
    shard: str,
) -> None:
    """Read, continue the shard's thoughts, write the tables."""
    traces = TRACES.read(traces_path)
    rows: list[dict[str, Any]] = []
    thoughts: list[dict[str, Any]] = []
    checks = Checks().figures(torch.float32)
    if traces["logprobs"].null_count():
        run = not_continued(shard, model.dtype)
    else:
        check_directions(DIRECTIONS.read(recipes_path), settings.direction)
        decoder = load_decoder(model)
        continuing = continuing_of(decoder, vectors_path, model, settings)
        known = Thoughts.of(
            traces,
            PROBLEMS.read(problems_path),
            problems_to_test(parts_path),
            continuing.tokenizer,
            decoder.stop_ids,
        )
        work = Shard(shard, known, continuing, settings)
        rows = work.rows()
        thoughts = work.thought_rows()
        continuing.progress.close()
        checks = work.checks.figures(decoder.dtype)
        run = run_row(
            STAGE, shard, continuing.progress, decoder, len(work.cases), work.note
        )
    VERIFICATION.write(verification_of(STAGE, checks), verification_path)
    RUNS.write(run, runs_path)
    THOUGHTS.write(THOUGHTS.frame(thoughts), thoughts_path)
    WRONG_SAMPLES.write(WRONG_SAMPLES.frame(rows), continuations_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            problems_path=Path(snakemake.input.problems),
            traces_path=Path(snakemake.input.traces),
            recipes_path=Path(snakemake.input.recipes),
            parts_path=Path(snakemake.input.parts),
            vectors_path=Path(snakemake.input.vectors),
            continuations_path=Path(snakemake.output.continuations),
            thoughts_path=Path(snakemake.output.thoughts),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
            shard=snakemake.wildcards.shard,
        )
