"""Directions that are added: toward turning back, toward wrapping up, random ones."""

from dataclasses import dataclass

import polars as pl
import torch

from directions.reading import Directions
from directions.tables import WRAP_UP
from doubletake.model.interventions import EVERY, Intervention
from doubletake.running.errors import InputError
from doubletake.stats.draws import generator


@dataclass(frozen=True)
class Pushes:
    """Makes the interventions at one boundary of the residual stream."""

    directions: Directions
    boundary: int
    seed: int
    """Of the random directions."""

    def along(self, name: str, strength: float) -> Intervention | None:
        """Adds a direction from the cut on; None where the study has no such direction.

        Args:
            name: of the direction.
            strength: in residual norms.
        """
        vectors = self.directions.vectors.get(name)
        if vectors is None or not vectors[self.boundary].any():
            return None
        return self._added(name, vectors[self.boundary], strength)

    def random(self, name: str, draw: int, strength: float) -> Intervention:
        """Adds a random direction of the same length: each draw has its own.

        Args:
            name: of the thought and the place.
            draw: number of the draw.
            strength: in residual norms.
        """
        seed = generator(self.seed, "random", name, draw).getrandbits(31)
        (vector,) = self.directions.random(1, seed)
        return self._added(f"random/{name}/{draw}", vector, strength)

    def _added(self, name: str, unit: torch.Tensor, strength: float) -> Intervention:
        length = strength * float(self.directions.residual_norms[self.boundary])
        model = self.directions.model
        return Intervention(
            name, self.boundary, "resid", EVERY, model, added=length * unit
        )


def check_directions(recipes: pl.DataFrame, name: str) -> None:
    """Refuse a direction that the stage `directions` does not know.

    Args:
        recipes: `DIRECTIONS`.
        name: of the direction toward turning back.

    Raises:
        InputError: there is no such direction; the message lists the others.
    """
    known = recipes["direction"].unique(maintain_order=True).to_list()
    if known and name not in known:
        others = ", ".join(one for one in known if one != WRAP_UP)
        raise InputError(
            f"wrong_samples.direction: there is no direction {name!r} (there are "
            f"{others})"
        )
