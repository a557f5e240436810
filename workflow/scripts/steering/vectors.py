"""From a cell to what the decoding adds: vectors of directions and of controls."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import torch

from directions.reading import Directions
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import Intervention, Positions
from steering.cells import Cell
from steering.names import NONE, RANDOM, SHUFFLED, UNIT, WITHIN, unit_name


def value_vectors_of(units: pl.DataFrame, count: int) -> list[tuple[str, int]]:
    """Names of value vectors nearest to the probe, each with its boundary.

    Args:
        units: `DIRECTION_UNITS`.
        count: number of vectors.
    """
    rows = units.filter(side="for").sort("rank").head(count)
    return [
        (unit_name(layer, unit), layer + 1)
        for layer, unit in rows.select("layer", "unit").iter_rows()
    ]


@dataclass
class Vectors:
    """Makes interventions of cells."""

    decoder: Decoder
    directions: Directions
    seed: int
    """Of random vectors."""
    drawn: dict[tuple[str, int], torch.Tensor] = field(default_factory=dict)
    """Random vectors by source and boundary, [draw, d_model]."""

    def interventions(self, cell: Cell) -> tuple[Intervention, ...]:
        """What a cell adds; nothing for `none`."""
        if cell.source == NONE:
            return ()
        assert cell.boundary is not None
        assert cell.positions is not None
        length = cell.strength * float(self.directions.residual_norms[cell.boundary])
        return (
            Intervention(
                name=cell.name,
                layer=cell.boundary,
                part="resid",
                positions=Positions(cell.positions),  # type: ignore[arg-type]
                model=self.directions.model,
                added=length * self.unit(cell),
            ),
        )

    def unit(self, cell: Cell) -> torch.Tensor:
        """The vector of length 1 of a cell, [d_model]."""
        name, boundary = cell.direction, cell.boundary
        assert boundary is not None
        if cell.source in (RANDOM, WITHIN):
            return self._random(cell.source, boundary, cell.draw)
        assert name is not None
        if cell.source == SHUFFLED:
            return self.directions.shuffled[name][cell.draw, boundary]
        if name.startswith(UNIT):
            layer, unit = map(int, name.removeprefix(UNIT).split("_"))
            vector = self.decoder.mlp_down(layer).weight[:, unit].detach().cpu().float()
            return vector / vector.norm()
        return self.directions.vectors[name][boundary]

    def draws(self, cell: Cell, count: int) -> int:
        """Number of draws of a control: as asked for, or as many as there are."""
        if cell.source != SHUFFLED or cell.direction is None:
            return count
        return min(count, len(self.directions.shuffled[cell.direction]))

    def _random(self, source: str, boundary: int, draw: int) -> torch.Tensor:
        """A random vector; more draws begin with the same."""
        key = source, boundary
        known: Sequence[torch.Tensor] | torch.Tensor = self.drawn.get(key, ())
        if draw >= len(known):
            count = max(8, 2 * len(known), draw + 1)
            within = source == WITHIN
            self.drawn[key] = self.directions.random(
                count, self.seed, within=within, layer=boundary
            )
        return self.drawn[key][draw]
