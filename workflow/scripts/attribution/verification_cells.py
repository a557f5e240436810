"""Draws (component, layer, token) cells for exact patching, to check the scores."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from attribution.agreement import CELLS
from doubletake.model.patching import Cell, cost_of
from doubletake.stats.draws import Name, generator, ranked_by_digest
from doubletake.stats.verification import Case, Verification, affordable

GOLDEN = (5**0.5 - 1) / 2  # the golden ratio's fraction
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
    decision: Name, tokens: int, component: str, layer: int, seed: int
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
    least_problems: int,
) -> dict[Name, CellSample]:
    """The cells to patch, by trace and event: a draw over the study.

    A case is a position and component, at one layer (`layer_of`), with `CELLS` tokens.
    The positions are taken in the order of `positions_in_turn`, so that the cases are
    of as many problems as possible. They are taken until the share is spent. If it is
    spent before `least_problems` problems are covered, the draw goes on until they are;
    a study of fewer problems spends no more than its share.

    The unit of costs is tokens times layers. Each position has a fixed cost: its clean
    pass and, for every fourth position, the method that the study does not use. This
    fixed cost may exceed the cost of many cells.

    Args:
        turns: the chosen positions of the whole study, in any order.
        n_layers: number of layers of the model.
        components: components that are scored.
        costs: costs of the scores.
        settings: share, minimum and seed of the verification.
        least_problems: fewest problems with an interval.
    """
    turns = turns.filter(pl.col("position") > 0)  # a first token has none before it
    lengths: dict[Name, int] = {
        (row["trace"], row["event"]): row["position"] + 1 for row in turns.to_dicts()
    }
    work = sum(lengths.values()) * n_layers * costs.used
    if turns["problem"].n_unique() >= least_problems:
        cases_needed = least_problems * len(components)
        settings = replace(settings, minimum=max(settings.minimum, cases_needed))
    decisions = positions_in_turn(turns, settings.seed)
    cases = _cases(decisions, lengths, n_layers, components, costs, settings.seed)
    samples: dict[Name, CellSample] = {}
    new = set(components)
    for case in affordable(cases, work, settings):
        decision, (component, layer) = (
            case.group,
            (str(case.name[2]), int(case.name[3])),
        )
        length = lengths[decision]
        cells = sampled_cells(decision, length, component, layer, settings.seed)
        number = len(samples) - (decision in samples)
        sample = samples.setdefault(
            decision, CellSample(other_method=_has_other_method(number))
        )
        sample.cells += cells
        sample.full_pass += cells[:1] if component in new else []
        new.discard(component)
    return samples


def positions_in_turn(turns: pl.DataFrame, seed: int) -> list[Name]:
    """Positions in the order of the draw: first one of each problem, then a second.

    Within each round, and within each problem, they are ordered by digest.

    Args:
        turns: columns trace, event and problem.
        seed: seed of the draw.
    """
    problems: dict[Name, str] = {
        (row["trace"], row["event"]): row["problem"] for row in turns.to_dicts()
    }
    drawn: Counter[str] = Counter()
    rounds: dict[Name, int] = {}
    for decision in ranked_by_digest(problems, seed):
        rounds[decision] = drawn[problems[decision]]
        drawn[problems[decision]] += 1
    return sorted(rounds, key=rounds.__getitem__)  # equal rounds stay in their order


def layer_of(number: int, n_layers: int) -> int:
    """The layer of the n-th drawn position (n from 0), the same for all components.

    The layers follow the multiples of the golden ratio (a Weyl sequence). So the layers
    of the first positions are spread evenly, however many are drawn, and also those of
    every fourth position. The first one is in the middle.
    """
    return int(n_layers * ((0.5 + number * GOLDEN) % 1))


def _cases(
    decisions: list[Name],
    lengths: dict[Name, int],
    n_layers: int,
    components: list[str],
    costs: Costs,
    seed: int,
) -> Iterator[Case]:
    """All cases in the order of the draw; a case is made only when it is asked for."""
    new = set(components)
    for number, decision in enumerate(decisions):
        length, layer = lengths[decision], layer_of(number, n_layers)
        whole = length * n_layers
        shared = whole * (1 + (costs.other if _has_other_method(number) else 0))
        for component in components:
            cells = sampled_cells(decision, length, component, layer, seed)
            cost = sum(cost_of(cell, length, n_layers) for cell in cells)
            cost += whole if component in new else 0  # the full pass
            new.discard(component)
            yield Case((*decision, component, layer), cost, decision, shared)


def _has_other_method(number: int) -> bool:
    """Whether the n-th drawn position (n from 0) is scored by both methods."""
    return number % OTHER_METHOD_EVERY == OTHER_METHOD_EVERY - 1
