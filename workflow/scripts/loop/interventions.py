"""What is done at an event: a direction is added, units or heads are set to 0."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import torch

from directions.reading import Directions
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import EVERY, Intervention, Part, width_of
from loop.settings import Settings

STEERING = "steering"
UNITS: Part = "units"
HEADS: Part = "heads"
NAMED, RANDOM, ZERO = "named", "random", "zero"


@dataclass(frozen=True, eq=False)
class Change:
    """One set of interventions that are made together."""

    kind: str
    """`steering`, `units` or `heads`."""
    draw: int
    """0: the direction or set itself; 1, 2, ...: a random one."""
    interventions: tuple[Intervention, ...]


def changes_of(
    decoder: Decoder,
    directions: Directions,
    versions: pl.DataFrame,
    sets: pl.DataFrame,
    settings: Settings,
) -> list[Change]:
    """All changes of a study; what the study does not have is left out.

    Args:
        decoder: the model.
        directions: of the study.
        versions: `ABLATION_VERSIONS`.
        sets: `ABLATION_SETS`.
        settings: which of them.
    """
    changes = steering(directions, settings)
    targets: tuple[tuple[Part, str], ...] = (
        (UNITS, settings.units),
        (HEADS, settings.heads),
    )
    for part, target in targets:
        name = ablation_of(versions, target)
        for draw, places in enumerate(members_of(sets, name, settings.random)):
            made = zeroed(decoder, directions.model, part, places)
            changes.append(Change(part, draw, made))
    return changes


def steering(directions: Directions, settings: Settings) -> list[Change]:
    """The direction and random vectors of the same length; none without a direction."""
    boundary = round(settings.layer * (len(directions.residual_norms) - 1))
    vectors = directions.vectors.get(settings.direction)
    if vectors is None or not vectors[boundary].any():
        return []
    length = settings.strength * float(directions.residual_norms[boundary])
    random = directions.random(settings.random, settings.seed)
    return [
        Change(STEERING, draw, (_added(directions.model, boundary, length * unit),))
        for draw, unit in enumerate([vectors[boundary], *random])
    ]


def _added(model: str, boundary: int, vector: torch.Tensor) -> Intervention:
    return Intervention(STEERING, boundary, "resid", EVERY, model, added=vector)


def ablation_of(versions: pl.DataFrame, target: str) -> str | None:
    """The ablation of a target that the page may claim, or its first one; None: none.

    Args:
        versions: `ABLATION_VERSIONS`.
        target: of units or heads.
    """
    made = versions.filter(pl.col("why_not").is_null(), target=target, mode=ZERO)
    names = made.sort("claimed", descending=True, maintain_order=True)["ablation"]
    return names[0] if len(names) else None


Places = list[tuple[int, int]]
"""Layer and number of units or heads."""


def members_of(sets: pl.DataFrame, name: str | None, random: int) -> list[Places]:
    """What an ablation sets to 0, then its first random sets.

    Args:
        sets: `ABLATION_SETS`.
        name: of the ablation; None: there is none.
        random: largest number of random sets.
    """
    if name is None:
        return []
    own = sets.filter(ablation=name, null=NAMED)
    drawn = sets.filter(ablation=name, null=RANDOM).sort("draw").head(random)
    return [
        list(zip(row["layers"], row["members"], strict=True))
        for row in [*own.to_dicts(), *drawn.to_dicts()]
    ]


def zeroed(
    decoder: Decoder, model: str, part: Part, places: Sequence[tuple[int, int]]
) -> tuple[Intervention, ...]:
    """Units or heads set to 0: an intervention for every layer that has one.

    Args:
        decoder: the model.
        model: its name in interventions.
        part: `units` or `heads`.
        places: layer and number of each.
    """
    by_layer: dict[int, list[int]] = defaultdict(list)
    for layer, number in places:
        by_layer[layer].append(number)
    made = []
    for layer, numbers in sorted(by_layer.items()):
        heads = decoder.config.num_attention_heads
        count = heads if part == HEADS else width_of(decoder, part, layer)
        factors = torch.ones(count)
        factors[numbers] = 0.0
        made.append(Intervention(part, layer, part, EVERY, model, factors=factors))
    return tuple(made)
