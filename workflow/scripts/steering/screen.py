"""Which directions make the model turn back, where, and how strongly?

Thoughts are continued by some tokens from the end of a sentence that arrives at an
answer, with every cell of a grid added to the residual stream. All cells of a thought
share random numbers, which are not those of the study (`fresh_seed`). Only problems on
which no direction was fitted are used.

Inputs
    problems, traces, events: `PROBLEMS`, `TRACES`, `EVENTS`.
    parts: which problems are to test (`DIRECTION_PROBLEMS`).
    units: value vectors (`DIRECTION_UNITS`).
    directions: the vectors (`directions.reading`).
    words: turn words (`TURN_WORDS`).

Outputs
    screening: one row per cell and thought of the shard (`SCREENING`).
    checks: rows of `VERIFICATION` that `measure.py` takes over.
    screening_runs: what the shard cost (`RUNS`); `measure.py` takes it over.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from directions.tables import DIRECTION_UNITS
from doubletake.model.interventions import InterventionRecord
from doubletake.model.run_rows import run_row, run_row_on
from doubletake.running.logs import Progress, job
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import indices_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from steering.cells import Cell, by_turns, screening_cells
from steering.contexts import Context
from steering.decoding import Completions, Decoding, continuation_text
from steering.names import DIRECTION, EVERY, NONE
from steering.rows import Continuations
from steering.settings import DecodingSettings, Screening
from steering.study_inputs import StudyPaths
from steering.tables import SCREENING
from steering.turn_probability import TurnProbability
from steering.vectors import value_vectors_of
from steering.verification_figures import Checks

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("screen_steering")

STAGE = "steering"
ZERO = "zero"
"""Setting of the cell with strength 0, which is only checked."""
ZEROS = 8
"""Contexts of a shard that are also continued with strength 0."""
NOTHING = "not screened: no problem to test has a thought with an arrival to go on from"
Planned = list[tuple[Cell, Context]]


@dataclass(frozen=True)
class Screened:
    """What the continuations say."""

    rows: list[dict[str, Any]]
    """Rows of `SCREENING`."""
    checks: Checks
    progress: Progress
    """It is finished."""


def screen(
    decoding: Decoding, cells: Sequence[Cell], contexts: Sequence[Context]
) -> Screened:
    """Continue all contexts with all cells."""
    planned: Planned = []
    requested: Planned = []
    for place, context in enumerate(contexts):
        own = [
            (by_turns(cell, context.number, decoding.draws(cell)), context)
            for cell in cells
        ]
        planned += own
        # Beside none, so that both are decoded in the same batches.
        zero = [(zero_of(cells), context)] if place < ZEROS else []
        requested += [*own[:1], *zero, *own[1:]]
    progress, checks = Progress(len(requested), "continuations"), Checks()
    record = InterventionRecord()
    thoughts = [one.thought for one in contexts]
    requests = [decoding.continued(*one) for one in requested]
    seed = decoding.settings.fresh_seed
    turns = TurnProbability(decoding.turn_ids)
    done = decoding.decode(requests, thoughts, progress, seed, record, turns)
    rows = continuation_rows(decoding, planned, done, turns, progress, checks)
    for cell, context in requested:
        if cell.setting == ZERO:
            name = context.thought.name
            checks.add_zero(done[cell.name, name], done[Cell(NONE).name, name])
    for cell, context in planned:
        if cell.source == DIRECTION and cell.positions == EVERY:
            key = cell.name, context.thought.name
            checks.add_places(record.positions[key], done[key], context.kept)
    progress.close()
    return Screened(rows, checks, progress)


def zero_of(cells: Sequence[Cell]) -> Cell:
    """The first direction with strength 0; none where there is no direction."""
    first = next((one for one in cells if one.source == DIRECTION), Cell(NONE))
    return replace(first, positions=EVERY, strength=0.0, setting=ZERO)


def continuation_rows(
    decoding: Decoding,
    planned: Planned,
    done: Completions,
    turns: TurnProbability,
    progress: Progress,
    checks: Checks,
) -> list[dict[str, Any]]:
    """Rows of continuations, which are scored without steering.

    Args:
        decoding: what was decoded with.
        planned: cells and contexts.
        done: their completions.
        turns: how likely they begin with a turn word.
        progress: counts the tokens.
        checks: gets the log-probs of continuations without steering.
    """
    texts = [
        continuation_text(context, done[cell.name, context.thought.name])
        for cell, context in planned
    ]
    scored = decoding.logprobs(texts, progress)
    reader = Continuations(decoding.tokenizer, decoding.settings.detector)
    rows = []
    for (cell, context), text in zip(planned, texts, strict=True):
        completion = done[cell.name, context.thought.name]
        if cell.source == NONE:
            checks.add_logprobs(completion, context.kept, scored[text])
        turn = turns.found[cell.name, context.thought.name]
        logprob = sum(scored[text])
        rows.append(reader.row(cell, context, completion, turn, logprob))
    return rows


def main(
    *,
    study: StudyPaths,
    units_path: Path,
    screening_path: Path,
    checks_path: Path,
    runs_path: Path,
    model: ModelSettings,
    grid: Screening,
    settings: DecodingSettings,
    shard: str,
) -> None:
    """Read the study, continue the contexts of the shard, write the tables."""
    traces = study.traces_table()
    every = study.drawn(traces, settings).screening
    contexts = [every[k] for k in indices_of_shard(len(every), shard)]
    rows: list[dict[str, Any]] = []
    checks, dtype = Checks(), torch.float32
    if contexts:
        decoding = study.decoding(model, settings)
        units = value_vectors_of(DIRECTION_UNITS.read(units_path), grid.value_vectors)
        directions, draws = decoding.vectors.directions, settings.controls
        cells = screening_cells(directions, units, grid, draws)
        found = screen(decoding, cells, contexts)
        rows, checks, dtype = found.rows, found.checks, decoding.decoder.dtype
        checks.add_problems({row["problem"] for row in rows}, study.tested())
        run = run_row(STAGE, shard, found.progress, decoding.decoder, len(contexts), "")
    else:
        run = not_run(shard, model.dtype, "" if every else NOTHING)
    VERIFICATION.write(verification_of(STAGE, checks.figures(dtype)), checks_path)
    RUNS.write(run, runs_path)
    SCREENING.write(SCREENING.frame(rows), screening_path)


def not_run(shard: str, dtype: str, note: str) -> pl.DataFrame:
    """The row of `RUNS` of a shard that decodes nothing."""
    if note:
        logger.warning("%s", note)
    progress = Progress(0, "continuations")
    progress.close()
    return run_row_on(STAGE, shard, progress, torch.device("cpu"), dtype, 0, note)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            study=StudyPaths(
                problems=Path(snakemake.input.problems),
                traces=Path(snakemake.input.traces),
                events=Path(snakemake.input.events),
                parts=Path(snakemake.input.parts),
                directions=Path(snakemake.input.directions),
                words=Path(snakemake.input.words),
            ),
            units_path=Path(snakemake.input.units),
            screening_path=Path(snakemake.output.screening),
            checks_path=Path(snakemake.output.checks),
            runs_path=Path(snakemake.output.screening_runs),
            model=ModelSettings(**snakemake.params.model),
            grid=Screening(**snakemake.params.grid),
            settings=DecodingSettings(**snakemake.params.settings),
            shard=snakemake.wildcards.shard,
        )
