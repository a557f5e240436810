"""Which units are scaled at which backtracks, and which scalings are verified."""

import random
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import Name, ranked_by_generator
from doubletake.stats.verification import Case, Verification, drawn
from turns.reading import BACKTRACK
from value_vectors.mlp_units import SIDES, LayerUnits
from value_vectors.random_units import matched_random_units
from value_vectors.unit_scaling import Scaling


@dataclass(frozen=True)
class CausalCheckSettings:
    """How the causal check is made."""

    checked_vectors: int
    """Number of vectors of each side that are scaled together."""
    factors: tuple[float, ...]
    """Factors by which their activations are multiplied."""
    random_draws: int
    """Number of draws of random vectors."""
    checked_positions: int
    """Number of backtracks to check."""
    seed: int
    """Seed of the draw of positions and random vectors."""
    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    verification: Verification
    """How many scalings are computed again by a full pass."""


def planned_scalings(
    layers: list[LayerUnits],
    turn_row: int,
    draw: random.Random,
    settings: CausalCheckSettings,
) -> list[tuple[dict[str, Any], Scaling]]:
    """The scalings at one position, each with its first columns of the table.

    Args:
        layers: units of all layers.
        turn_row: row of the turn in their activations.
        draw: of the random units.
        settings: how many units, how many draws, which factors.
    """
    plan = []
    for part in layers:
        write_sizes = part.activations[turn_row].abs() * part.norms
        for side in SIDES:
            vectors = part.extreme[side][: settings.checked_vectors]
            random_sets = [
                matched_random_units(write_sizes, vectors, draw)
                for _ in range(settings.random_draws)
            ]
            for number, units in enumerate([vectors, *random_sets]):
                written = float(write_sizes[units].sum())
                for factor in settings.factors:
                    row = {"layer": part.layer, "side": side, "draw": number}
                    row |= {"factor": factor, "written": written}
                    plan.append((row, Scaling(part.layer, tuple(units), factor)))
    return plan


def checked_turn_rows(turns: pl.DataFrame, count: int, seed: int) -> list[int]:
    """Rows of the backtracks to check, drawn by seed and event alone."""
    names = turns.select("kind", "trace", "event").iter_rows()
    row_of: dict[Name, int] = {
        (trace, event): row
        for row, (kind, trace, event) in enumerate(names)
        if kind == BACKTRACK
    }
    return [row_of[name] for name in ranked_by_generator(row_of, seed)[:count]]


def scalings_per_position(
    layers: list[LayerUnits], settings: CausalCheckSettings
) -> int:
    """Number of scalings at one position: the unscaled one, and those of its plan."""
    sets = 1 + settings.random_draws
    return 1 + len(layers) * len(SIDES) * sets * len(settings.factors)


def scalings_to_verify(
    positions: list[tuple[str, int, int]], scalings: int, settings: Verification
) -> dict[tuple[str, int], set[int]]:
    """Numbers of the scalings to compute again by a full pass, by trace and event.

    Costs are tokens of all layers. The check itself reads a prefix once and its last
    token once per scaling. A full pass reads all tokens for a single scaling.

    Args:
        positions: trace, event and number of tokens of every checked position.
        scalings: their number at each position; number 0 scales nothing.
        settings: how many to verify.
    """
    cases = [
        Case((trace, event, number), tokens)
        for trace, event, tokens in positions
        for number in range(scalings)
    ]
    work = sum(tokens - 1 + scalings for _, _, tokens in positions)
    numbers: dict[tuple[str, int], set[int]] = {}
    for case in drawn(cases, work, settings):
        trace, event, number = case.name
        numbers.setdefault((str(trace), int(event)), set()).add(int(number))
    return numbers
