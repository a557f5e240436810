"""How directions do in problems that they were not fitted on.

Inputs
    pairs: `DIRECTION_PAIRS`.

Outputs
    held_out: `DIRECTION_HELD_OUT`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from directions.tables import (
    DIRECTION_HELD_OUT,
    DIRECTION_PAIRS,
    FIT,
    TEST,
)
from doubletake.running.logs import job
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.stats.paired_test import paired_p

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_directions")


def held_out(pairs: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`DIRECTION_HELD_OUT`: one row per direction and boundary with a test pair."""
    rows: list[dict[str, Any]] = []
    for _, own in pairs.group_by("direction", maintain_order=True):
        fit = own.filter(part=FIT).group_by("boundary").agg(pl.col("ordered").mean())
        shares = dict(fit.iter_rows())
        later = {k: share for k, share in shares.items() if k > 0}
        chosen = max(later, key=lambda k: (later[k], -k), default=None)
        for (boundary,), part in own.filter(part=TEST).group_by(
            "boundary", maintain_order=True
        ):
            row = _row(part, intervals)
            row |= {"fit_ordered": shares.get(boundary), "chosen": boundary == chosen}
            rows.append(row | {"p": _p(part, intervals) if row["chosen"] else None})
    tested = [row for row in rows if row["p"] is not None]
    corrected = holm(np.array([row["p"] for row in tested], dtype=float))
    for row, p in zip(tested, corrected, strict=True):
        row["p"] = float(p)
    return DIRECTION_HELD_OUT.frame(
        [{name: row[name] for name in DIRECTION_HELD_OUT.schema} for row in rows]
    )


def _row(part: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """Share of the ordered pairs of one direction and boundary."""
    values = part["ordered"].to_numpy()[:, None]
    problems = part["problem"].to_numpy()
    (mean,) = cluster_means(values, problems, intervals, shares=True)
    # ASSUME: the draws of shuffled labels are fixed: the interval lacks their spread.
    gap = values - part["shuffled"].to_numpy()[:, None]
    (beyond,) = cluster_means(gap, problems, intervals)
    return {
        "direction": part["direction"][0],
        "boundary": part["boundary"][0],
        "pairs": part.height,
        "problems": mean.clusters,
        "ordered": mean.value,
        "low": mean.low,
        "high": mean.high,
        "shuffled": part["shuffled"].mean(),
        **beyond.columns("beyond"),
    }


def _p(part: pl.DataFrame, intervals: IntervalSettings) -> float | None:
    """P-value of "as many pairs are in order as are not"; ties are neither."""
    ordered = part["ordered"].to_numpy()
    problems = part["problem"].to_numpy()
    return paired_p(ordered > 0.5, ordered < 0.5, problems, intervals)


def main(*, pairs_path: Path, held_out_path: Path, intervals: IntervalSettings) -> None:
    """Read the pairs, summarise, write."""
    pairs = DIRECTION_PAIRS.read(pairs_path)
    logger.info("%d directions", pairs["direction"].n_unique())
    DIRECTION_HELD_OUT.write(held_out(pairs, intervals), held_out_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            pairs_path=Path(snakemake.input.pairs),
            held_out_path=Path(snakemake.output.held_out),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
