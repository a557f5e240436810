"""A published claim: how it is measured, and when it counts as reproduced."""

from collections.abc import Callable
from dataclasses import dataclass

from reproduction.run import Finding, Run
from reproduction.tables import SHAPE

CONTAINED = "the interval contains the published number"


@dataclass(frozen=True)
class Claim:
    """A published number, or a statement."""

    name: str
    part: str
    """The experiment that measures it, as a reader knows it."""
    quantity: str
    unit: str
    find: Callable[[Run], Finding]
    """Takes the number from the tables of a run."""
    kind: str = SHAPE
    rule: str = ""
    """When it counts as reproduced."""
    published: str = ""
    """Name of its entry in the file of published claims, if it has another name."""
    value: float | None = None
    """Published number, where the entry stands for several."""

    @property
    def entry(self) -> str:
        """Name of its entry in the file of published claims."""
        return self.published or self.name
