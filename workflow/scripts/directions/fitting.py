"""Fits all directions: reads the thoughts, refits the probe, finds units near it."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from activations.reading import ActivationCache
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
    fit_matched_probe,
    why_no_probe,
)
from directions.near_units import near_units, why_no_units
from directions.pair_order import cases_within, pair_rows
from directions.reading import Directions
from directions.recipes import recipes_of
from directions.settings import Settings
from directions.split import thoughts_to_read
from directions.tables import FIT, PARTS
from directions.thought_inputs import ClassPlan, thought_inputs
from directions.verification_figures import figures, mean_error, thoughts_to_verify
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name
from doubletake.running.logs import Progress
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow
from matches.reading import BACKTRACK_CONTROL

logger = logging.getLogger("measure_directions")


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
    cases = cases_within(BACKTRACK_CONTROL, matches, cache.index, fit)
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


@dataclass(frozen=True)
class Fitted:
    """All results of the stage."""

    directions: Directions
    rows: list[dict[str, Any]]
    """Of `DIRECTIONS`."""
    pairs: list[dict[str, Any]]
    """Of `DIRECTION_PAIRS`."""
    units: list[dict[str, Any]]
    """Of `DIRECTION_UNITS`."""
    checks: list[VerificationRow]
    progress: Progress
    note: str


def fit(
    decoder: Decoder,
    cache: ActivationCache,
    traces: pl.DataFrame,
    events: pl.DataFrame,
    matches: pl.DataFrame,
    parts: dict[str, str],
    settings: Settings,
) -> Fitted:
    """Read the thoughts of the fit problems, and fit all directions.

    Args:
        decoder: the model.
        cache: its activations.
        traces: `TRACES`.
        events: `EVENTS`.
        matches: `MATCHES`.
        parts: the part of each problem.
        settings: how.
    """
    groups = {part: {p for p, own in parts.items() if own == part} for part in PARTS}
    chosen, note = fit_thoughts(traces, groups[FIT], settings, decoder.max_positions)
    recipes = recipes_of(
        chosen,
        rows_by_trace(events, {row["trace"] for row in chosen}),
        [(first, last) for first, last in settings.windows],
    )
    supports = [Support.of(recipe, settings.least_problems) for recipe in recipes]
    absent = {support.name for support in supports if support.why_not is not None}
    there = [recipe for recipe in recipes if recipe.name not in absent]
    plan = ClassPlan.of(there, settings.shuffles, settings.seed)
    inputs = thought_inputs(
        chosen,
        plan,
        settings.component_positions,
        settings.seed,
        decoder.embed.weight.shape[0],
    )
    sums, error, progress = read_thoughts(decoder, inputs, len(plan.keys), settings)
    refit = probed(cache, matches, groups[FIT], settings)
    supports.append(refit.support)
    tokens = sum(len(item.ids) - item.start for item in inputs)
    directions = directions_of(
        model_name(decoder.settings),
        class_means(sums, plan.counts(tokens), plan.keys),
        refit.probe,
        principal_components(sums.states(), settings.components),
    )
    units, no_units = unit_rows(decoder, refit.probe, settings.units)
    for support in supports:
        logger.info("%s: %s", support.name, support.why_not or f"{support.cases} cases")
    return Fitted(
        directions,
        table_rows(supports, directions),
        pair_rows(cache, matches, groups, directions, refit.probe),
        units,
        figures(error, refit.probe, decoder.settings.dtype),
        progress,
        "; ".join(text for text in (note, no_units) if text),
    )


def rows_by_trace(
    events: pl.DataFrame, traces: set[str]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of `EVENTS` of these traces."""
    own = events.filter(pl.col("trace").is_in(traces))
    parts = own.partition_by("trace", as_dict=True)
    return {str(name): part.to_dicts() for (name,), part in parts.items()}


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
