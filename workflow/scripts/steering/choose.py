"""Which direction, boundary and positions are worth a test? Means of the screening.

Inputs
    screening: parts of `SCREENING`, one per shard.

Outputs
    cells: `CELLS`.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from steering.cell_means import cell_means
from steering.names import DIRECTION, GRID, expected_sign
from steering.tables import CELLS, SCREENING

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("choose_steering")

PLACE = ("direction", "boundary", "positions")
Row = dict[str, Any]


def choose(
    rows: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> pl.DataFrame:
    """`CELLS`: means of all cells, and which are chosen.

    A direction at a boundary and positions gets a score: the change of the turn rate
    from its best whole cell away from turning to its best whole cell toward it. No
    steering counts as a whole cell on both sides. The largest score is chosen; of equal
    ones the first in the order of the config. Only the grid takes part.
    """
    cells: list[Row] = [
        row | {"range": None, "chosen": False}
        for row in cell_means(rows, tolerance, intervals)
    ]
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in cells:
        if row["source"] == DIRECTION and row["setting"] == GRID:
            places.setdefault(tuple(row[name] for name in PLACE), []).append(row)
    for own in places.values():
        score = sum(max([0.0, *map(gain, side(own, sign))]) for sign in (-1, 1))
        for row in own:
            row["range"] = score
    best = max(places.values(), key=lambda own: own[0]["range"], default=[])
    for sign in (-1, 1) if best else ():
        strongest(side(best, sign))["chosen"] = True
    return CELLS.frame(cells)


def side(rows: Sequence[Row], sign: int) -> list[Row]:
    """Cells that should turn more (1) or less (-1), from weak to strong."""
    own = [
        row
        for row in rows
        if row["strength"] * expected_sign(row["direction"]) * sign > 0
    ]
    return sorted(own, key=lambda row: abs(row["strength"]))


def gain(row: Row) -> float:
    """Change of the turn rate in the direction's own sense; 0 if text is not whole."""
    if not row["whole"] or row["shift"] is None:
        return 0.0
    sense = expected_sign(row["direction"]) * (1 if row["strength"] > 0 else -1)
    return float(row["shift"]) * sense


def strongest(rows: Sequence[Row]) -> Row:
    """The cell of one side that changes turning most; of equal ones the weakest."""
    return max(rows, key=gain)


def main(
    *,
    screening_paths: Sequence[Path],
    cells_path: Path,
    tolerance: float,
    intervals: IntervalSettings,
) -> None:
    """Read the parts, choose, write."""
    parts = [SCREENING.read(path) for path in screening_paths]
    rows = pl.concat([SCREENING.schema.to_frame(), *parts])
    cells = choose(rows, tolerance, intervals)
    for row in cells.filter(chosen=True).to_dicts():
        logger.info(
            "chosen: %s at boundary %d, %s, strength %.3g: turn rate %.3f",
            *(row[name] for name in (*PLACE, "strength", "turn_rate")),
        )
    CELLS.write(cells, cells_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            screening_paths=[Path(path) for path in snakemake.input.screening],
            cells_path=Path(snakemake.output.cells),
            tolerance=snakemake.params.tolerance,
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
