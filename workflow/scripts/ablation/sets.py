"""What is taken away, one by one, and all of it together."""

from dataclasses import dataclass, field
from typing import Any

from ablation.rankings import Member
from ablation.targets import NAMED
from doubletake.model.interventions import Intervention


@dataclass(frozen=True, eq=False)
class AblationSet:
    """One thing to take away."""

    ablation: str
    """Name of the ablation, or of the random sets."""
    null: str
    draw: int
    interventions: tuple[Intervention, ...]
    members: tuple[Member, ...] = ()
    written: float | None = None


@dataclass(frozen=True)
class PlanSettings:
    """How many sets are made."""

    sizes: list[int]
    """Numbers of units."""
    claimed_size: int
    """The one of them that the page may make claims on."""
    heads: int
    """Number of heads."""
    boundary: int | None
    """The only boundary of one projection; None: the one of the probe's largest
    separation."""
    random_draws: int
    """Random sets of each ablation; of a claimed one, times the number of these."""
    seed: int


@dataclass
class Plan:
    """All ablations, and the rows of `ABLATION_VERSIONS`."""

    versions: list[dict[str, Any]] = field(default_factory=list)
    sets: list[AblationSet] = field(default_factory=list)

    def add(self, row: dict[str, Any], **columns: Any) -> None:
        """Add a version."""
        empty = dict.fromkeys(("boundary", "projection", "candidates", "replaceable"))
        self.versions.append(empty | {"why_not": None} | row | columns)

    @property
    def named(self) -> list[AblationSet]:
        """The ablations themselves."""
        return [one for one in self.sets if one.null == NAMED]

    def of(self, ablation: str, null: str) -> list[AblationSet]:
        """The sets of a name and null."""
        return [
            one for one in self.sets if one.ablation == ablation and one.null == null
        ]
