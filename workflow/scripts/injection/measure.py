"""Does a vector that is added once fade because the token gets too little attention?

A direction toward turning back is added to the residual stream at one token, once, as
the published work did. The study's own tokens follow. At every token after it, the
distribution of the next token is compared with that of the unsteered run: KL(unsteered
|| injected). The same is done with the vector at every token, with random vectors of
the same length, and with more attention to the injected token. The attention of the
later tokens to the token is read beside that of the unsteered run.

Inputs
    traces: `traces.tables.TRACES`.
    events: `events.tables.EVENTS`, the arrivals.
    directions, problems: of the stage `directions` (`directions.reading`).
    the model.

Outputs
    injection: `injection.tables.INJECTION`.
    attention: `injection.tables.INJECTION_ATTENTION`.
    verification: against plain passes and eager attention
        (`doubletake.tables.verification.VERIFICATION`).
    runs: `doubletake.tables.runs.RUNS`; empty where no model was loaded, because there
        is no direction or no context.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from directions.reading import Directions, problems_to_test, read_directions
from doubletake.model.attention_weights import prove_rows
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from events.tables import EVENTS
from injection.attended import attention_to_token
from injection.contexts import Context, drawn_contexts
from injection.forward_pass import divergences
from injection.injections import Injection, injections_of, is_attended
from injection.settings import Settings
from injection.tables import INJECTION, INJECTION_ATTENTION, UNSTEERED
from injection.verification_figures import Differences, Measured
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_injection")

STAGE = "injection"


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


def divergence_rows(one: Measured) -> list[dict[str, Any]]:
    """Rows of `INJECTION` of a context."""
    return [
        _place(one.context)
        | {
            name: getattr(injection, name)
            for name in (
                *("direction", "draw", "boundary", "depth", "strength", "mode"),
                "factor",
            )
        }
        | {"kl": kl}
        for injection, kl in zip(one.injections, one.kl.tolist(), strict=True)
    ]


def attention_rows(one: Measured) -> list[dict[str, Any]]:
    """Rows of `INJECTION_ATTENTION` of a context."""
    rows = []
    for injection, layers in zip(one.attended, one.attention.tolist(), strict=True):
        named = _attending(injection)
        rows += [
            _place(one.context) | named | {"layer": layer, "attention": attention}
            for layer, attention in enumerate(layers)
        ]
    return rows


def _attending(one: Injection | None) -> dict[str, Any]:
    if one is None:
        return {"direction": UNSTEERED, "draw": None, "boundary": None, "strength": 0.0}
    names = ("direction", "draw", "boundary", "strength")
    return {name: getattr(one, name) for name in names}


def _place(context: Context) -> dict[str, Any]:
    return {
        name: getattr(context, name) for name in ("trace", "problem", "place", "token")
    }


def main(
    *,
    traces_path: Path,
    events_path: Path,
    directions_path: Path,
    problems_path: Path,
    injection_path: Path,
    attention_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, draw the contexts, measure them, write the tables."""
    directions = read_directions(directions_path, model_name(model))
    contexts = drawn_contexts(
        TRACES.read(traces_path),
        EVENTS.read(events_path),
        problems_to_test(problems_path),
        settings.contexts,
        settings.distance,
        settings.seed,
    )
    measured: list[Measured] = []
    checks, runs = VERIFICATION.frame([]), RUNS.frame([])
    if contexts and set(settings.directions) & set(directions.vectors):
        decoder = load_decoder(model)
        prove_rows(decoder)
        with torch.inference_mode():
            measured, progress = measure(decoder, contexts, directions, settings)
            differences = Differences()
            differences.replay(decoder, measured, settings.verification)
        figures = differences.figures(model.dtype)
        for item in figures:
            logger.info("verification: %s %s of %d", item.check, item.value, item.n)
        checks = verification_of(STAGE, figures)
        runs = run_row(STAGE, ONE_SHARD, progress, decoder, len(contexts), "")
    else:
        logger.info("nothing to measure: no direction, or no context of a test problem")
    VERIFICATION.write(checks, verification_path)
    RUNS.write(runs, runs_path)
    rows = [row for one in measured for row in divergence_rows(one)]
    INJECTION.write(INJECTION.frame(rows), injection_path)
    attended = [row for one in measured for row in attention_rows(one)]
    table: pl.DataFrame = INJECTION_ATTENTION.frame(attended)
    INJECTION_ATTENTION.write(table, attention_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            directions_path=Path(snakemake.input.directions),
            problems_path=Path(snakemake.input.problems),
            injection_path=Path(snakemake.output.injection),
            attention_path=Path(snakemake.output.attention),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
