"""Which cells of a study are patched exactly, to check the scores of all cells."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from attribution.agreement import CELLS
from attribution.patching import Cell, cost_of
from doubletake.stats.draws import generator, ranked_by_digest
from doubletake.stats.verification import Case, Verification, affordable

LAYERS = 4  # of a drawn decision: the next one has others
OTHER = 4  # every so many decisions the method that the study does not use is run too


@dataclass(frozen=True)
class Costs:
    """Forward and backward passes that a decision's scores take."""

    used: float
    """Of the method that the study uses."""
    other: float
    """Of the one that it is compared with."""


@dataclass
class Sample:
    """The cells of one decision that are patched exactly."""

    cells: list[Cell] = field(default_factory=list)
    plain: list[Cell] = field(default_factory=list)
    """Of these, those patched by a full pass too: one of each part in the study."""
    other: bool = False
    """Whether the decision is scored by the method that the study does not use."""


def sampled_cells(
    name: tuple[str, int], tokens: int, part: str, layer: int, seed: int
) -> list[Cell]:
    """A uniform sample of the tokens before a decision, at one part and layer.

    Args:
        name: trace and event of the decision.
        tokens: of its sequence; the last is the deciding position.
        part: `resid`, `attn_out` or `mlp_out`.
        layer: 0, 1, ...
        seed: of the draw.
    """
    draw = generator(seed, *name, part, layer)
    chosen = draw.sample(range(tokens - 1), min(CELLS, tokens - 1))
    return [Cell(part, layer, token) for token in sorted(chosen)]


def cells_to_patch(
    turns: pl.DataFrame,
    n_layers: int,
    parts: list[str],
    costs: Costs,
    settings: Verification,
) -> dict[tuple[str, int], Sample]:
    """The cells to patch, by trace and event: a draw over the study.

    A case is a decision, part and layer, with `CELLS` tokens. Decisions are drawn one
    after the other, each with up to `LAYERS` layers, evenly spaced and other ones than
    those of the decision before it. Costs are tokens times layers; what a decision
    costs whatever its cases is the clean pass and, for every `OTHER`-th one, the method
    that the study does not use, which may cost more than many cells.

    Args:
        turns: the chosen decisions of the whole study, whatever their order.
        n_layers: of the model.
        parts: what is scored.
        costs: of the scores.
        settings: how many.
    """
    places = turns.select("trace", "event", "position").iter_rows()
    tokens = {(trace, event): place + 1 for trace, event, place in places if place}
    work = sum(tokens.values()) * n_layers * costs.used
    cases = _cases(tokens, n_layers, parts, costs.other, settings.seed)
    samples: dict[tuple[str, int], Sample] = {}
    new = set(parts)
    for case in affordable(cases, work, settings):
        trace, event, part, layer = case.name
        name = (str(trace), int(event))
        cells = sampled_cells(name, tokens[name], str(part), int(layer), settings.seed)
        number = len(samples) - (name in samples)
        sample = samples.setdefault(name, Sample(other=_has_other(number)))
        sample.cells += cells
        sample.plain += cells[:1] if part in new else []
        new.discard(str(part))
    return samples


def _cases(
    tokens: dict[tuple[str, int], int],
    n_layers: int,
    parts: list[str],
    other: float,
    seed: int,
) -> Iterator[Case]:
    """All cases in the order of the draw; as few are made as are asked for."""
    new = set(parts)
    step = -(-n_layers // LAYERS)
    for number, name in enumerate(ranked_by_digest(tokens, seed)):
        trace, event = str(name[0]), int(name[1])
        length = tokens[trace, event]
        whole = length * n_layers
        shared = whole * (1 + (other if _has_other(number) else 0))
        for layer in range(number % step, n_layers, step):
            for part in parts:
                cells = sampled_cells((trace, event), length, part, layer, seed)
                cost = sum(cost_of(cell, length, n_layers) for cell in cells)
                cost += whole if part in new else 0  # the full pass
                new.discard(part)
                yield Case((*name, part, layer), cost, name, shared)


def _has_other(number: int) -> bool:
    """Whether the decision of this number in the draw, from 0, has the other method."""
    return number % OTHER == OTHER - 1
