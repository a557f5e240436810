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
from steering.names import DIRECTION, GRID, NONE, RANDOM, expected_sign
from steering.tables import CELLS, SCREENING
from steering.trends import slopes

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("choose_steering")

PLACE = ("direction", "boundary", "positions")
Row = dict[str, Any]
DIGITS = 2
"""Decimals of scores that are compared: at the first token, all positions that hold it
change the same, and rounding must not choose between them."""


def choose(
    rows: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> pl.DataFrame:
    """`CELLS`: means of all cells, and which are chosen.

    A direction at a boundary and positions gets a score (`score_of`). The largest is
    chosen; of equal ones the first by name and boundary. On each side the
    strongest whole cell is chosen, or the weakest if none is whole. Published settings
    do not take part.
    """
    cells: list[Row] = [
        row | {"slope": None, "score": None, "chosen": False}
        for row in cell_means(rows, tolerance, intervals)
    ]
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in cells:
        if row["source"] == DIRECTION and row["setting"] == GRID:
            places.setdefault(tuple(row[name] for name in PLACE), []).append(row)
    for own in places.values():
        slope, score = score_of(own, rows)
        for row in own:
            row |= {"slope": slope, "score": score}
    scored = [own for own in places.values() if own[0]["score"] is not None]
    best = max(scored, key=lambda own: round(own[0]["score"], DIGITS), default=[])
    for sign in (-1, 1) if best else ():
        strongest([row for row in best if row["strength"] * sign > 0])["chosen"] = True
    return CELLS.frame(cells)


def score_of(
    own: Sequence[Row], rows: pl.DataFrame
) -> tuple[float | None, float | None]:
    """Slope and score of a direction at one place; None without a whole cell.

    The slope is that of the least-squares line through the changes of the turn
    probability at all strengths with whole text, none included. It is positive where
    the probability changes as the direction says. The score is this slope over the root
    mean square of those of the random vectors at the same boundary, positions and
    lengths. At some boundaries any vector changes much; the score does not prefer them.

    Args:
        own: cells of one direction, boundary and positions.
        rows: `SCREENING`.
    """
    whole = [row for row in own if row["whole"]]
    if not whole:
        return None, None
    strengths = np.array([0.0, *(row["strength"] for row in whole)])
    changes = np.array([0.0, *(row["probability_shift"] for row in whole)])
    slope = float(slopes(strengths, changes)) * expected_sign(own[0]["direction"])
    at = {name: own[0][name] for name in ("boundary", "positions")}
    sizes = sorted({abs(row["strength"]) for row in whole})
    random = rows.filter(pl.col("strength").is_in(sizes), source=RANDOM, **at)
    means = random.group_by("draw", "strength").agg(pl.col("probability").mean())
    table = means.sort("draw", "strength")["probability"].to_numpy()
    plain = rows.filter(source=NONE)["probability"].to_numpy().mean()
    if not len(table):
        return slope, None
    changed = table.reshape(-1, len(sizes)) - plain
    lines = slopes(np.array([0.0, *sizes]), np.pad(changed, ((0, 0), (1, 0))))
    spread = float(np.sqrt((lines**2).mean()))
    return slope, slope / spread if spread else None


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
    # In one order, so that equal scores do not depend on the number of shards.
    rows = rows.sort(SCREENING.sort, maintain_order=True)
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
