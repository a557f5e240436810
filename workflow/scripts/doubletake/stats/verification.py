"""How much of the work is done a second time: cases drawn by seed, cut by a budget.

A stage that recomputes part of what it computed lists what it could recompute as cases,
each with its cost. They are put in an order that depends on the seed and on the names
of the cases alone, and taken from the front as long as their cost stays within a share
of the work's cost. A minimum of cases is taken whatever it costs.

Costs are counted before anything runs and never measured, so that a second run takes
the same cases. Their unit is the stage's own; most stages count tokens times layers
that the model computes, a backward pass of a frozen model as much as a forward pass
(it computes gradients of states, none of weights).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.stats.draws import Name, ranked_by_digest


@dataclass(frozen=True)
class Verification:
    """The `verification` section of the config."""

    share: float
    """Largest cost of a stage's verification, as a share of its work's cost."""
    minimum: int
    """Cases that are verified whatever they cost, where there are so many."""
    seed: int
    """Of the draw."""


@dataclass(frozen=True)
class Case:
    """Something that can be computed a second time."""

    name: Name
    cost: float
    """In the unit of the stage's work."""
    group: Name = ()
    """Cases of one group share what is computed once for all of them."""
    shared: float = 0.0
    """Cost of that, paid with the first case of the group."""


def with_verification(params: dict[str, Any]) -> dict[str, Any]:
    """A rule's `settings` with the section `verification` as `Verification`."""
    return params | {"verification": Verification(**params["verification"])}


def affordable(
    cases: Iterable[Case], work: float, settings: Verification
) -> list[Case]:
    """The first of these cases that the budget pays for, and the minimum.

    The first case beyond the budget ends the draw: to look for a cheaper one would draw
    short cases more often than long ones.

    Args:
        cases: in the order in which they are taken.
        work: cost of what is verified.
        settings: share and minimum.
    """
    taken: list[Case] = []
    spent = 0.0
    groups: set[Name] = set()
    for case in cases:
        cost = case.cost + (0.0 if case.group in groups else case.shared)
        beyond = spent + cost > settings.share * work
        if beyond and len(taken) >= settings.minimum:
            break
        taken.append(case)
        groups.add(case.group)
        spent += cost
    return taken


def drawn(cases: Sequence[Case], work: float, settings: Verification) -> list[Case]:
    """The cases to compute again; the order of the given ones does not matter.

    Args:
        cases: all that there are, their names differ.
        work: cost of what is verified.
        settings: share, minimum and seed.
    """
    by_name = {case.name: case for case in cases}
    order = ranked_by_digest(by_name, settings.seed)
    return affordable([by_name[name] for name in order], work, settings)


@dataclass
class Largest:
    """The largest of some errors; without any it has no value, and a NaN stays."""

    value: float | None = None
    n: int = 0
    """Cases compared."""

    def add(self, error: float, cases: int = 1) -> None:
        """Take in the largest error of some cases; none change nothing."""
        if not cases:
            return
        self.n += cases
        known = self.value
        # A comparison with NaN is false, so `max` would drop it.
        if known is None or math.isnan(error) or error > known:
            self.value = error
