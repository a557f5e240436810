"""The cells of the screening: what is added, where, at which tokens, how strongly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from directions.reading import Directions
from steering.names import (
    DIRECTION,
    GRID,
    NONE,
    PUBLISHED,
    RANDOM,
    SETTINGS_OF_PAPERS,
    SHUFFLED,
    WITHIN,
)
from steering.settings import Screening


@dataclass(frozen=True)
class Cell:
    """What is added while a continuation is decoded."""

    source: str
    """Of `SOURCES`."""
    direction: str | None = None
    boundary: int | None = None
    positions: str | None = None
    strength: float = 0.0
    """Length of what is added, with sign, in residual norms of the boundary."""
    draw: int = 0
    """Number of the draw of a control."""
    setting: str = GRID

    @property
    def name(self) -> str:
        """Tells the continuations of one thought apart."""
        place = (self.source, self.direction, self.boundary, self.positions)
        return "/".join(map(str, (self.setting, *place, self.strength, self.draw)))


def screening_cells(
    directions: Directions,
    value_vectors: Iterable[tuple[str, int]],
    settings: Screening,
    draws: int,
) -> list[Cell]:
    """All cells of the screening; random vectors with all draws, others with the first.

    A direction that is absent at a boundary has no cell there. Shuffled labels stand
    beside the largest strengths only.

    Args:
        directions: of the study.
        value_vectors: names of value vectors, each with its boundary.
        settings: the grid.
        draws: random vectors at each boundary.
    """
    n_layers = len(directions.residual_norms) - 1
    boundaries = boundaries_of(settings.layers, n_layers)
    places = [(name, at) for name in settings.directions for at in boundaries]
    cells = [Cell(NONE)]
    for name, boundary in (*places, *value_vectors):
        for one in _at(Cell(DIRECTION, name, boundary), settings):
            if exists(directions, one):
                cells.append(one)
    shuffled = [
        replace(one, source=SHUFFLED)
        for one in cells
        if one.direction in directions.shuffled
        and abs(one.strength) == max(settings.strengths)
    ]
    others = [
        replace(one, draw=draw)
        for source, count in ((RANDOM, draws), (WITHIN, 1))
        for draw in range(count)
        for boundary in sorted(
            {one.boundary for one in cells if one.boundary is not None}
        )
        for one in _at(Cell(source, None, boundary), settings)
        if one.strength > 0  # a random vector and its opposite are equally likely
    ]
    return [*cells, *others, *shuffled, *published_cells(directions, settings)]


def boundaries_of(shares: Iterable[float], n_layers: int) -> list[int]:
    """Boundaries at shares of the number of layers, each once, in rising order."""
    return sorted({round(share * n_layers) for share in shares})


def published_cells(directions: Directions, settings: Screening) -> Iterator[Cell]:
    """The published settings whose direction there is."""
    n_layers = len(directions.residual_norms) - 1
    for name in settings.published:
        paper = SETTINGS_OF_PAPERS[name]
        boundary = round(paper.depth * n_layers)
        cell = Cell(DIRECTION, name, boundary, paper.positions, setting=PUBLISHED)
        if not exists(directions, cell):
            continue
        lengths = {"difference": directions.norms[name], "mean": directions.mean_norms}
        unit = lengths[paper.unit][boundary] / directions.residual_norms[boundary]
        for strength in paper.strengths:
            yield replace(cell, strength=strength * float(unit))


def exists(directions: Directions, cell: Cell) -> bool:
    """Whether there is a direction at its boundary; value vectors always are."""
    if cell.direction is None or cell.direction.startswith("unit_"):
        return True
    vectors = directions.vectors.get(cell.direction)
    return vectors is not None and bool(vectors[cell.boundary].any())


def by_turns(cell: Cell, number: int, draws: int) -> Cell:
    """The cell for one context: draws of a control take turns over the contexts.

    Those of random vectors do not: the score of a direction needs each of them whole.

    Args:
        cell: of the screening.
        number: of the context, the same in all shards.
        draws: of each control.
    """
    if cell.source in (WITHIN, SHUFFLED):
        return replace(cell, draw=number % draws)
    return cell


def _at(cell: Cell, settings: Screening) -> Iterator[Cell]:
    """The cell at all positions and strengths, with both signs."""
    for positions in settings.positions:
        for size in settings.strengths:
            for strength in (-size, size):
                yield replace(cell, positions=positions, strength=float(strength))
