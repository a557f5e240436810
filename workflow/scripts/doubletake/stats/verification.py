"""Draws the cases that a stage computes a second time to verify itself.

A stage lists the cases that it could compute again, each with its cost. The cases are
put into an order that depends only on the seed and on their names. They are taken from
the front as long as their total cost stays within a share of the cost of the work. A
minimum of cases is always taken.

Costs are counted before the work starts. They are not measured, so that a second run
takes the same cases. Each stage chooses the unit. Most stages count tokens times
layers.
"""

# ASSUME: a backward pass of a frozen model costs as much as a forward pass, because it
# computes gradients of states but not of weights.

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.stats.draws import Name, ranked_by_digest


@dataclass(frozen=True)
class Verification:
    """The `verification` section of the config."""

    share: float
    """Largest cost of a stage's verification, as a share of the cost of its work."""
    minimum: int
    """Number of cases that are verified at any cost, if there are enough cases."""
    seed: int
    """Seed of the draw."""


@dataclass(frozen=True)
class Case:
    """A part of the work that can be computed a second time."""

    name: Name
    cost: float
    """Cost in the unit of the stage's work."""
    group: Name = ()
    """Cases of one group share a computation that is done once."""
    shared: float = 0.0
    """Cost of the shared computation. The first case of the group pays it."""


def with_verification(params: dict[str, Any]) -> dict[str, Any]:
    """A rule's settings, with the section `verification` turned into `Verification`."""
    return params | {"verification": Verification(**params["verification"])}


def affordable(
    cases: Iterable[Case], work: float, settings: Verification
) -> list[Case]:
    """The first cases, as many as the budget covers but at least the minimum.

    The first case beyond the budget ends the draw. To look for a cheaper case instead
    would draw short cases more often than long ones.

    Args:
        cases: cases in the order in which they are taken.
        work: cost of the work that is verified.
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
    """The cases to compute again. They do not depend on the order of `cases`.

    Args:
        cases: all possible cases, each with another name.
        work: cost of the work that is verified.
        settings: share, minimum and seed.
    """
    by_name = {case.name: case for case in cases}
    order = ranked_by_digest(by_name, settings.seed)
    return affordable([by_name[name] for name in order], work, settings)


@dataclass
class Largest:
    """The largest of several errors; a NaN stays; None if there is no error."""

    value: float | None = None
    n: int = 0
    """Number of compared cases."""

    def add(self, error: float, cases: int = 1) -> None:
        """Add the largest error of some cases; 0 cases change nothing."""
        if not cases:
            return
        self.n += cases
        largest = self.value
        # A comparison with NaN is false, so `max` could drop the NaN.
        if largest is None or math.isnan(error) or error > largest:
            self.value = error
