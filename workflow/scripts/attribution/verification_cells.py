"""Draws (component, layer, token) cells for exact patching, to check the scores."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from attribution.agreement import CELLS
from attribution.patching import Cell, cost_of
from doubletake.stats.draws import generator, ranked_by_digest
from doubletake.stats.verification import Case, Verification, affordable

LAYERS = 4  # largest number of layers checked per position
OTHER_METHOD_EVERY = 4  # positions: every fourth one is scored by the other method too


@dataclass(frozen=True)
class Costs:
    """Forward and backward passes that the scores of a position take."""

    used: float
    """With the method that the study uses."""
    other: float
    """With the other method: `gradient` if it uses `integrated`, else `integrated`."""


@dataclass
class CellSample:
    """The cells of one position that are patched exactly."""

    cells: list[Cell] = field(default_factory=list)
    full_pass: list[Cell] = field(default_factory=list)
    """Cells that are patched by a full pass too: one cell per component, for the whole
    study."""
    other_method: bool = False
    """Whether the position is also scored by the method that the study does not use."""


def sampled_cells(
    decision: tuple[str, int], tokens: int, component: str, layer: int, seed: int
) -> list[Cell]:
    """A uniform sample of the tokens before a position, at one component and layer.

    Args:
        decision: its trace and event.
        tokens: number of tokens of its sequence; the last token is at the position.
        component: `resid`, `attn_out` or `mlp_out`.
        layer: 0, 1, ...
        seed: seed of the draw.
    """
    draw = generator(seed, *decision, component, layer)
    chosen = draw.sample(range(tokens - 1), min(CELLS, tokens - 1))
    return [Cell(component, layer, token) for token in sorted(chosen)]


def cells_to_patch(
    turns: pl.DataFrame,
    n_layers: int,
    components: list[str],
    costs: Costs,
    settings: Verification,
) -> dict[tuple[str, int], CellSample]:
    """The cells to patch, by trace and event: a draw over the study.

    A case is a position, component and layer, with `CELLS` tokens. The positions are
    drawn one after the other. Each has up to `LAYERS` evenly spaced layers, which
    differ from the layers of the position drawn before it.

    The unit of costs is tokens times layers. Each position has a fixed cost: its clean
    pass and, for every fourth position, the method that the study does not use. This
    fixed cost may exceed the cost of many cells.

    Args:
        turns: the chosen positions of the whole study, in any order.
        n_layers: number of layers of the model.
        components: components that are scored.
        costs: costs of the scores.
        settings: share, minimum and seed of the verification.
    """
    positions = turns.select("trace", "event", "position").iter_rows()
    tokens = {(trace, event): at + 1 for trace, event, at in positions if at}
    work = sum(tokens.values()) * n_layers * costs.used
    cases = _cases(tokens, n_layers, components, costs.other, settings.seed)
    samples: dict[tuple[str, int], CellSample] = {}
    new = set(components)
    for case in affordable(cases, work, settings):
        trace, event, name, layer = case.name
        decision, component = (str(trace), int(event)), str(name)
        length = tokens[decision]
        cells = sampled_cells(decision, length, component, int(layer), settings.seed)
        number = len(samples) - (decision in samples)
        sample = samples.setdefault(
            decision, CellSample(other_method=_has_other_method(number))
        )
        sample.cells += cells
        sample.full_pass += cells[:1] if component in new else []
        new.discard(component)
    return samples


def _cases(
    tokens: dict[tuple[str, int], int],
    n_layers: int,
    components: list[str],
    other: float,
    seed: int,
) -> Iterator[Case]:
    """All cases in the order of the draw; a case is made only when it is asked for."""
    new = set(components)
    step = -(-n_layers // LAYERS)
    for number, name in enumerate(ranked_by_digest(tokens, seed)):
        trace, event = str(name[0]), int(name[1])
        length = tokens[trace, event]
        whole = length * n_layers
        shared = whole * (1 + (other if _has_other_method(number) else 0))
        for layer in range(number % step, n_layers, step):
            for component in components:
                cells = sampled_cells((trace, event), length, component, layer, seed)
                cost = sum(cost_of(cell, length, n_layers) for cell in cells)
                cost += whole if component in new else 0  # the full pass
                new.discard(component)
                yield Case((*name, component, layer), cost, name, shared)


def _has_other_method(number: int) -> bool:
    """Whether the n-th drawn position (n from 0) is scored by both methods."""
    return number % OTHER_METHOD_EVERY == OTHER_METHOD_EVERY - 1
