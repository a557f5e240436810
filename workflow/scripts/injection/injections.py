"""The injections of a study: which vector is added where, how strongly, how often."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from directions.reading import Directions
from injection.settings import Settings
from injection.tables import ALWAYS, ONCE, PROMPT_END, RANDOM

FEW_DRAWS = 5
"""Random vectors with which thoughts go on freely. They only describe."""


@dataclass(frozen=True, eq=False)
class Injection:
    """A vector that is added to the residual stream."""

    direction: str
    """Name of the direction, or `RANDOM`."""
    draw: int | None
    """Number of the random vector; None for a direction."""
    boundary: int
    """The layer whose input changes."""
    depth: float
    """The boundary as a share of the layers, as in the config."""
    strength: float
    """Length of the vector, in mean norms of the residual stream there."""
    mode: str
    """`ONCE`: at the context's token; `ALWAYS`: also at all tokens after it."""
    factor: float
    """What the odds of the attention to the token are multiplied by."""
    vector: torch.Tensor
    """[d_model], float32, with its length."""


def boundary_of(depth: float, n_layers: int) -> int:
    """The boundary at a share of the depth; never the input of the final norm."""
    return min(round(depth * n_layers), n_layers - 1)


def injections_of(
    directions: Directions,
    n_layers: int,
    settings: Settings,
    *,
    place: str,
    with_random: bool,
) -> list[Injection]:
    """What is added at one context.

    At the end of a prompt these are the directions at the tested strength, at an
    arrival the directions at all strengths, and the random vectors if wanted.
    """
    named = _named(directions, n_layers, settings)
    if place == PROMPT_END:
        return [one for one in named if one.strength == settings.tested_strength]
    return named + (_random(directions, n_layers, settings) if with_random else [])


def is_attended(one: Injection, tested_strength: float) -> bool:
    """Whether the attention to the token is read with this injection, too.

    It is a direction, added once, at the tested strength.
    """
    is_named = one.mode == ONCE and one.draw is None
    return is_named and is_free(one, tested_strength)


def is_free(one: Injection, tested_strength: float) -> bool:
    """Whether a thought goes on freely with this injection.

    It has the tested strength. The first random vectors are added, too, but only once.
    """
    plain = one.factor == 1 and one.strength == tested_strength
    if one.draw is None:
        return plain
    return plain and one.mode == ONCE and one.draw < FEW_DRAWS


def _named(
    directions: Directions, n_layers: int, settings: Settings
) -> list[Injection]:
    """All directions that exist, at all depths and strengths, once and always.

    With more attention to the token: only once and at the tested strength.
    """
    made = []
    for name in settings.directions:
        for depth, boundary in _depths(settings, n_layers):
            if name not in directions.vectors:
                continue
            unit = directions.vectors[name][boundary]
            norm = float(directions.residual_norms[boundary])
            for strength, mode, factor in _ways(settings):
                vector = unit * strength * norm
                made.append(
                    Injection(
                        name, None, boundary, depth, strength, mode, factor, vector
                    )
                )
    return made


def _random(
    directions: Directions, n_layers: int, settings: Settings
) -> list[Injection]:
    """Random vectors at all depths, at the tested strength, once and always."""
    made = []
    strength = settings.tested_strength
    for depth, boundary in _depths(settings, n_layers):
        units = directions.random(settings.random, settings.seed + boundary)
        norm = float(directions.residual_norms[boundary])
        for draw, unit in enumerate(units):
            vector = unit * strength * norm
            made += [
                Injection(RANDOM, draw, boundary, depth, strength, mode, 1.0, vector)
                for mode in (ONCE, ALWAYS)
            ]
    return made


def _depths(settings: Settings, n_layers: int) -> Iterator[tuple[float, int]]:
    """Depths and boundaries; of two depths with one boundary the first."""
    seen = set()
    for depth in settings.depths:
        boundary = boundary_of(depth, n_layers)
        if boundary not in seen:
            seen.add(boundary)
            yield depth, boundary


def _ways(settings: Settings) -> Iterator[tuple[float, str, float]]:
    """Strengths, modes and factors."""
    for strength in sorted({*settings.strengths, settings.tested_strength}):
        yield strength, ONCE, 1.0
        yield strength, ALWAYS, 1.0
    for factor in settings.attention_factors:
        yield settings.tested_strength, ONCE, factor
