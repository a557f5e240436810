"""Does a vector that is added once fade because the token gets too little attention?

A direction toward turning back is added to the residual stream at one token, once, as
the published work did. The study's own tokens follow. At every token after it, the
distribution of the next token is compared with that of the unsteered run: KL(unsteered
|| injected). The same is done with the vector at every token, with random vectors of
the same length, and with more attention to the injected token. The attention of the
later tokens to the token is read beside that of the unsteered run. At last, thoughts go
on freely after the injection, beside an unsteered run with the same random numbers.

Inputs
    problems: `problems.tables.PROBLEMS`, questions and reference answers.
    traces: `traces.tables.TRACES`.
    events: `events.tables.EVENTS`, the arrivals.
    vectors, directions, parts: of the stage `directions` (`directions.reading`,
        `directions.tables`).
    the model.

Outputs
    injection: `injection.tables.INJECTION`.
    attention: `injection.tables.INJECTION_ATTENTION`.
    free_runs: `injection.tables.INJECTION_FREE_RUNS`.
    verification: against plain passes and eager attention
        (`doubletake.tables.verification.VERIFICATION`).
    runs: `doubletake.tables.runs.RUNS`; empty where no model was loaded, because there
        is no direction or no context.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from directions.reading import Directions, problems_to_test, read_directions
from directions.tables import DIRECTIONS
from doubletake.model.attention_weights import prove_rows
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.table import Table
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.tokenizer import load_tokenizer
from events.tables import EVENTS
from injection.attended import attention_to_token
from injection.contexts import Context, drawn_contexts
from injection.forward_pass import divergences
from injection.free_runs import FreeRuns, Run
from injection.injections import injections_of, is_attended, is_free
from injection.rows import attention_rows, divergence_rows
from injection.settings import Settings
from injection.tables import (
    ARRIVAL,
    INJECTION,
    INJECTION_ATTENTION,
    INJECTION_FREE_RUNS,
)
from injection.verification_figures import Differences, Measured
from problems.tables import PROBLEMS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_injection")

STAGE = "injection"
TABLES = (INJECTION, INJECTION_ATTENTION, INJECTION_FREE_RUNS)


def check_names(names: Sequence[str], directions: pl.DataFrame) -> None:
    """Refuse a direction that the study does not fit; one without cases is known.

    Args:
        names: `injection.directions` of the config.
        directions: `DIRECTIONS`.

    Raises:
        InputError: a name is unknown. The message lists the known ones.
    """
    known = directions["direction"].unique(maintain_order=True).to_list()
    for name in names:
        if name not in known:
            raise InputError(
                f"injection.directions: {name!r} is not one of {', '.join(known)}"
            )


def measure(
    decoder: Decoder,
    contexts: Sequence[Context],
    directions: Directions,
    settings: Settings,
) -> tuple[list[Measured], Progress]:
    """Measure all contexts; the first problems get the random vectors, too."""
    problems = list(dict.fromkeys(context.problem for context in contexts))
    with_random = set(problems[: settings.random_contexts])
    progress = Progress(len(contexts), "contexts")
    measured = []
    for context in contexts:
        injections = injections_of(
            directions,
            decoder.n_layers,
            settings,
            place=context.place,
            with_random=context.problem in with_random,
        )
        tested = settings.tested_strength
        attended = [None, *(one for one in injections if is_attended(one, tested))]
        gib = settings.batch_memory
        kl = divergences(decoder, context, injections, gib)
        attention = attention_to_token(decoder, context, attended, gib)
        measured.append(Measured(context, injections, kl, attended, attention))
        new = len(injections) * (context.distance + 1)
        progress.update(1, new + len(attended) * len(context.ids))
    progress.close()
    return measured, progress


@dataclass(frozen=True)
class Found:
    """What was measured; empty where nothing was."""

    measured: Sequence[Measured] = ()
    free_rows: Sequence[dict[str, Any]] = ()

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """The rows of one of `TABLES`."""
        if table is INJECTION:
            return [row for one in self.measured for row in divergence_rows(one)]
        if table is INJECTION_ATTENTION:
            return [row for one in self.measured for row in attention_rows(one)]
        return list(self.free_rows)


def runs_of(measured: Sequence[Measured], settings: Settings) -> list[Run]:
    """The free runs: the first problems' arrivals, with what is added and without."""
    at_arrivals = [one for one in measured if one.context.place == ARRIVAL]
    return [
        (one.context, injection)
        for one in at_arrivals[: settings.free_contexts]
        for injection in (
            None,
            *(i for i in one.injections if is_free(i, settings.tested_strength)),
        )
    ]


def measured_runs(
    decoder: Decoder,
    runs: Sequence[Run],
    traces: pl.DataFrame,
    problems: pl.DataFrame,
    model: ModelSettings,
    settings: Settings,
) -> tuple[list[dict[str, Any]], FreeRuns, Progress]:
    """Rows of `INJECTION_FREE_RUNS`, and what decoded them."""
    questions = problems.select("problem", "question", "gold")
    named = {context.trace for context, _ in runs}
    rows = traces.filter(pl.col("trace").is_in(named)).join(questions, on="problem")
    thoughts = {row["trace"]: row for row in rows.to_dicts()}
    free = FreeRuns(decoder, load_tokenizer(model), thoughts, settings)
    progress = Progress(len(runs), "free runs")
    found = free.rows(runs, progress)
    progress.close()
    return found, free, progress


def main(
    *,
    traces_path: Path,
    events_path: Path,
    vectors_path: Path,
    directions_path: Path,
    parts_path: Path,
    problems_path: Path,
    injection_path: Path,
    attention_path: Path,
    free_runs_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, draw the contexts, measure them, write the tables."""
    check_names(settings.directions, DIRECTIONS.read(directions_path))
    directions = read_directions(vectors_path, model_name(model))
    traces = TRACES.read(traces_path)
    contexts = drawn_contexts(
        traces,
        EVENTS.read(events_path),
        problems_to_test(parts_path),
        settings.contexts,
        settings.distance,
        settings.seed,
    )
    found, checks, runs = Found(), VERIFICATION.frame([]), RUNS.frame([])
    if contexts and set(settings.directions) & set(directions.vectors):
        decoder = load_decoder(model)
        prove_rows(decoder)
        problems = PROBLEMS.read(problems_path)
        with torch.inference_mode():
            measured, progress = measure(decoder, contexts, directions, settings)
            wanted = runs_of(measured, settings)
            free_rows, free, decoded = measured_runs(
                decoder, wanted, traces, problems, model, settings
            )
            differences = Differences()
            differences.replay(decoder, measured, settings.verification)
        differences.add_runs(free, wanted)
        found = Found(measured, free_rows)
        checks = verification_of(STAGE, differences.figures(model.dtype))
        runs = pl.concat(
            run_row(STAGE, ONE_SHARD, done, decoder, len(contexts), note)
            for done, note in ((progress, "contexts"), (decoded, "free runs"))
        )
    else:
        logger.info("nothing to measure: no direction, or no context of a test problem")
    for row in checks.iter_rows(named=True):
        logger.info("verification: %(check)s: %(value)s over %(n)d", row)
    VERIFICATION.write(checks, verification_path)
    RUNS.write(runs, runs_path)
    paths = (injection_path, attention_path, free_runs_path)
    for table, path in zip(TABLES, paths, strict=True):
        table.write(table.frame(found.rows(table)), path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            vectors_path=Path(snakemake.input.vectors),
            directions_path=Path(snakemake.input.directions),
            parts_path=Path(snakemake.input.parts),
            problems_path=Path(snakemake.input.problems),
            injection_path=Path(snakemake.output.injection),
            attention_path=Path(snakemake.output.attention),
            free_runs_path=Path(snakemake.output.free_runs),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
