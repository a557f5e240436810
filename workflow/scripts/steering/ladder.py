"""The chosen direction at every strength, with its controls, ready to decode with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from steering.cells import Cell
from steering.names import CONTROLS, DIRECTION, NONE, RANDOM, SHUFFLED, expected_sign
from steering.settings import DecodingSettings
from steering.vectors import Vectors


@dataclass(frozen=True)
class Chosen:
    """What the screening has chosen."""

    direction: str
    boundary: int
    positions: str
    strength: float
    """The larger one of both sides, without sign, in residual norms."""

    @property
    def cell(self) -> Cell:
        """Its cell, without a strength."""
        return Cell(DIRECTION, self.direction, self.boundary, self.positions)


def chosen_of(cells: pl.DataFrame) -> Chosen | None:
    """The chosen direction; None where nothing was screened.

    Args:
        cells: `CELLS`.
    """
    rows = cells.filter(chosen=True)
    if rows.is_empty():
        return None
    first = rows.row(0, named=True)
    # Both sides get the same strengths, so that one random vector stands beside both.
    strength = float(rows["strength"].abs().to_numpy().max())
    return Chosen(first["direction"], first["boundary"], first["positions"], strength)


def steered_cells(chosen: Chosen, steps: Sequence[float]) -> list[Cell]:
    """None, and the direction at all strengths, from away to toward turning back."""
    sizes = [step * chosen.strength for step in sorted(steps)]
    strengths = sorted([*sizes, *(-size for size in sizes)])
    cells = [replace(chosen.cell, strength=one) for one in strengths]
    return [Cell(NONE), *cells[:: expected_sign(chosen.direction)]]


def ladder_cells(
    chosen: Chosen, settings: DecodingSettings, vectors: Vectors
) -> list[Cell]:
    """The cells of `steered_cells`, and all draws of their controls."""
    cells = steered_cells(chosen, settings.steps)
    return [*cells, *_controls(chosen, cells, settings, vectors)]


def _controls(
    chosen: Chosen,
    cells: Sequence[Cell],
    settings: DecodingSettings,
    vectors: Vectors,
) -> Iterator[Cell]:
    for cell in cells:
        for source in CONTROLS if cell.strength else ():
            shuffled = source == SHUFFLED
            if shuffled and chosen.direction not in vectors.directions.shuffled:
                continue
            if not shuffled and cell.strength < 0:
                continue  # a random vector and its opposite are equally likely
            name = chosen.direction if shuffled else None
            control = replace(cell, source=source, direction=name)
            count = settings.random if source == RANDOM else settings.controls
            for draw in range(vectors.draws(control, count)):
                yield replace(control, draw=draw)
