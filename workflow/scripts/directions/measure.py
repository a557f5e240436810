"""Which vectors of the residual stream point toward turning back?

The problems are split into two parts. The model reads the thoughts of one part, and
directions are differences of the means of its states there (`directions.recipes`), or
the weights of a probe (`directions.matched_probe`). Experiments that steer or ablate
use the problems of the other part.

Inputs
    traces: `TRACES`.
    events: `EVENTS`.
    matches: `MATCHES`, pairs for the probe.
    index, caches: the activation cache of the study, for the probe.
    model: its files.

Outputs
    vectors: safetensors, as in `directions.reading`.
    directions: `DIRECTIONS`, one row per direction and boundary.
    problems: `DIRECTION_PROBLEMS`, the two parts.
    units: `DIRECTION_UNITS`.
    verification: `VERIFICATION`.
    runs: `RUNS`, one row; its note says why there are no units.
"""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from directions.class_sums import (
    Sums,
    ThoughtInput,
    batch_bytes,
    batch_sums,
    plain_sums,
)
from directions.fitted import (
    Support,
    class_means,
    directions_of,
    principal_components,
    table_rows,
)
from directions.matched_probe import (
    MatchedProbe,
    ProbeSettings,
    fit_cases,
    fit_matched_probe,
    why_no_probe,
)
from directions.near_units import near_units, why_no_units
from directions.reading import write_directions
from directions.recipes import recipes_of
from directions.settings import Settings
from directions.split import parts_of, thoughts_to_read
from directions.tables import DIRECTION_PROBLEMS, DIRECTION_UNITS, DIRECTIONS, FIT
from directions.thought_inputs import ClassPlan, thought_inputs
from directions.verification_figures import figures, mean_error, thoughts_to_verify
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Largest, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from events.tables import EVENTS
from matches.tables import MATCHES
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_directions")

STAGE = "directions"


def read_thoughts(
    decoder: Decoder, inputs: list[ThoughtInput], classes: int, settings: Settings
) -> tuple[Sums, Largest, Progress]:
    """Run all thoughts through the model and add up their states.

    Returns:
        The sums, the largest error of a thought that was read again, the progress.
    """
    total, error = Sums.zero(decoder, classes), Largest()
    again = thoughts_to_verify(inputs, settings.verification)
    progress = Progress(len(inputs), "thoughts")
    batches = in_batches(
        inputs,
        partial(batch_sums, decoder, classes),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        need=partial(batch_bytes, decoder, classes),
        batch_memory=settings.batch_memory,
    )
    for batch, found in batches:
        for item, sums in zip(batch, found, strict=True):
            total.add(sums)
            if item.trace in again:
                counts = item.weights(classes).sum(1)
                plain = plain_sums(decoder, classes, item)
                norms = sums.norms / counts[0]
                error.add(mean_error(sums.classes, plain, counts, norms))
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    progress.close()
    return total, error, progress


@dataclass(frozen=True)
class Probed:
    """The refit probe and its cases."""

    support: Support
    probe: MatchedProbe | None


def probed(
    cache: ActivationCache, matches: pl.DataFrame, fit: set[str], settings: Settings
) -> Probed:
    """Fit the matched probe on the pairs of the fit problems, if there are enough."""
    how = ProbeSettings(
        settings.strength, settings.folds, settings.shuffles, settings.seed
    )
    cases = fit_cases(matches, cache.index, fit)
    why_not = why_no_probe(cases, how, settings.least_problems)
    probe = None if why_not else fit_matched_probe(cache, cases, how)
    return Probed(Support.of_probe(cases, why_not), probe)


def unit_rows(
    decoder: Decoder, probe: MatchedProbe | None, count: int
) -> tuple[list[dict[str, Any]], str]:
    """Rows of `DIRECTION_UNITS`, and why there are none."""
    reason = why_no_units(decoder)
    if reason is None and probe is None:
        reason = "no value vectors: there is no probe"
    if reason is not None or probe is None:
        return [], reason or ""
    return near_units(decoder, probe.vectors[0], probe.best_boundary, count), ""


def main(
    *,
    traces_path: Path,
    events_path: Path,
    matches_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    vectors_path: Path,
    directions_path: Path,
    problems_path: Path,
    units_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, read the thoughts with the model, fit, write."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    matches = MATCHES.read(matches_path)
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    parts = parts_of(traces["problem"], settings.fit_share, settings.seed)
    fit = {problem for problem, part in parts.items() if part == FIT}
    decoder = load_decoder(model)
    chosen, note = fit_thoughts(traces, fit, settings, decoder.max_positions)
    names = [row["trace"] for row in chosen]
    rows = events.filter(pl.col("trace").is_in(names)).partition_by(
        "trace", as_dict=True
    )
    by_trace = {str(name): part.to_dicts() for (name,), part in rows.items()}
    recipes = recipes_of(chosen, by_trace, [(a, b) for a, b in settings.windows])
    supports = [Support.of(recipe, settings.least_problems) for recipe in recipes]
    there = {support.name for support in supports if support.why_not is None}
    plan = ClassPlan.of(
        [recipe for recipe in recipes if recipe.name in there],
        settings.shuffles,
        settings.seed,
    )
    vocabulary = decoder.embed.weight.shape[0]
    sample = settings.component_positions
    inputs = thought_inputs(chosen, plan, sample, settings.seed, vocabulary)
    sums, error, progress = read_thoughts(decoder, inputs, len(plan.keys), settings)
    tokens = sum(len(item.ids) - item.start for item in inputs)
    empty = torch.zeros(0, decoder.n_layers + 1, decoder.d_model)
    states = torch.cat([empty, *sums.sampled])
    components = principal_components(states, settings.components)
    refit = probed(cache, matches, fit, settings)
    means = class_means(sums, plan.counts(tokens), plan.keys)
    directions = directions_of(model_name(model), means, refit.probe, components)
    units, no_units = unit_rows(decoder, refit.probe, settings.units)
    supports.append(refit.support)
    for support in supports:
        logger.info("%s: %s", support.name, support.why_not or f"{support.cases} cases")
    checks = verification_of(STAGE, figures(error, refit.probe, model.dtype))
    notes = "; ".join(text for text in (note, no_units) if text)
    run = run_row(STAGE, ONE_SHARD, progress, decoder, progress.items, notes)
    problems = [{"problem": name, "part": part} for name, part in parts.items()]
    write_directions(directions, vectors_path)
    DIRECTION_PROBLEMS.write(DIRECTION_PROBLEMS.frame(problems), problems_path)
    DIRECTION_UNITS.write(DIRECTION_UNITS.frame(units), units_path)
    VERIFICATION.write(checks, verification_path)
    RUNS.write(run, runs_path)
    DIRECTIONS.write(
        DIRECTIONS.frame(table_rows(supports, directions)), directions_path
    )


def fit_thoughts(
    traces: pl.DataFrame, fit: set[str], settings: Settings, longest: int
) -> tuple[list[dict[str, Any]], str]:
    """Rows of the thoughts that the model reads, and a note on those left out."""
    own = traces.filter(pl.col("problem").is_in(fit))
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    within = own.filter(lengths <= longest)
    read = thoughts_to_read(within["trace"], settings.thoughts, settings.seed)
    refused = own.height - within.height
    note = f"left out, longer than {longest} tokens: {refused}" if refused else ""
    return within.filter(pl.col("trace").is_in(read)).to_dicts(), note


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            vectors_path=Path(snakemake.output.vectors),
            directions_path=Path(snakemake.output.directions),
            problems_path=Path(snakemake.output.problems),
            units_path=Path(snakemake.output.units),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **with_verification(snakemake.params.settings),
                least_problems=snakemake.params.least_problems,
            ),
        )
