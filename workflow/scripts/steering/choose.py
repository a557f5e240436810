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

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from steering.cell_means import cell_means
from steering.names import DIRECTION, GRID, expected_sign
from steering.tables import CELLS, SCREENING
from steering.trends import slopes

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("choose_steering")

PLACE = ("direction", "boundary", "positions")
Row = dict[str, Any]


def choose(
    rows: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> pl.DataFrame:
    """`CELLS`: means of all cells, and which are chosen.

    A direction at a boundary and positions gets a score (`fitted_change`). The largest
    one is chosen; of equal ones the first in the order of the config. On each side the
    strongest whole cell is chosen, or the weakest if none is whole. Published settings
    do not take part.
    """
    cells: list[Row] = [
        row | {"score": None, "chosen": False}
        for row in cell_means(rows, tolerance, intervals)
    ]
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in cells:
        if row["source"] == DIRECTION and row["setting"] == GRID:
            places.setdefault(tuple(row[name] for name in PLACE), []).append(row)
    for own in places.values():
        score = fitted_change(own)
        for row in own:
            row["score"] = score
    best = max(places.values(), key=lambda own: own[0]["score"], default=[])
    for sign in (-1, 1) if best else ():
        strongest([row for row in best if row["strength"] * sign > 0])["chosen"] = True
    return CELLS.frame(cells)


def fitted_change(rows: Sequence[Row]) -> float:
    """Change of the turn probability along a line through the whole cells of a place.

    The least-squares slope of the shifts on the strengths, none included, times the
    distance from the lowest to the highest of these strengths. The line uses all whole
    cells, so that a single one decides less than with the largest shift. Positive where
    the rate changes as the direction says. 0 without a whole cell.

    Args:
        rows: cells of one direction, boundary and positions.
    """
    whole = [row for row in rows if row["whole"]]
    strengths = np.array([0.0, *(row["strength"] for row in whole)])
    shifts = np.array([0.0, *(row["probability_shift"] for row in whole)])
    if not whole:
        return 0.0
    slope = float(slopes(strengths, shifts))
    return slope * float(np.ptp(strengths)) * expected_sign(rows[0]["direction"])


def strongest(rows: Sequence[Row]) -> Row:
    """The strongest whole cell of one side, or the weakest cell if none is whole."""
    ordered = sorted(rows, key=lambda row: abs(row["strength"]))
    return next((row for row in reversed(ordered) if row["whole"]), ordered[0])


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
            "chosen: %s at boundary %d, %s, strength %.3g: turn probability %.3f",
            *(row[name] for name in (*PLACE, "strength", "probability")),
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
