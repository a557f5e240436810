"""How much do the scaled value vectors change, beside random ones of like norm?

Inputs
    interventions: one row per position, set of vectors and factor
        (`schemas.VALUE_VECTOR_INTERVENTIONS`).

Outputs
    effects: means and intervals over problems (`schemas.VALUE_VECTOR_EFFECTS`).
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import Resampling, cluster_means
from value_vectors.tables import (
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_value_vectors")

CHANGES = ("target", "margin")


def by_position(interventions: pl.DataFrame) -> pl.DataFrame:
    """Vectors beside the mean of the random draws, one row per position and factor.

    Columns: trace, event, problem, layer, end, factor; `written`, `target`, `margin`,
    each also with `_random`; `target_excess`, `margin_excess`.
    """
    keys = ["trace", "event", "problem", "layer", "end", "factor"]
    names = ("written", *CHANGES)
    own = interventions.filter(draw=0).select(*keys, *names)
    drawn = (
        interventions.filter(pl.col("draw") > 0)
        .group_by(keys)
        .agg(pl.col(name).mean().alias(f"{name}_random") for name in names)
    )
    return own.join(drawn, on=keys).with_columns(
        (pl.col(name) - pl.col(f"{name}_random")).alias(f"{name}_excess")
        for name in CHANGES
    )


def summarise(
    interventions: pl.DataFrame, vectors: int, resampling: Resampling
) -> pl.DataFrame:
    """`schemas.VALUE_VECTOR_EFFECTS`: means over positions, intervals over problems."""
    kinds = [f"{name}{kind}" for name in CHANGES for kind in ("", "_random", "_excess")]
    rows = []
    groups = (
        by_position(interventions)
        .sort("layer", "end", "factor", "trace", "event")
        .group_by("layer", "end", "factor", maintain_order=True)
    )
    for (layer, end, factor), part in groups:
        row: dict[str, Any] = {
            "layer": layer,
            "end": end,
            "factor": factor,
            "vectors": vectors,
            "positions": part.height,
            "problems": part["problem"].n_unique(),
            "written": part["written"].mean(),
            "written_random": part["written_random"].mean(),
        }
        values = np.stack([part[kind].to_numpy() for kind in kinds], axis=1)
        means = cluster_means(values, part["problem"].to_numpy(), resampling)
        for kind, mean in zip(kinds, means, strict=True):
            row |= {
                kind: mean.value,
                f"{kind}_low": mean.low,
                f"{kind}_high": mean.high,
            }
        rows.append({name: row[name] for name in VALUE_VECTOR_EFFECTS.schema})
    return VALUE_VECTOR_EFFECTS.frame(rows)


def main(
    *,
    interventions_path: Path,
    effects_path: Path,
    vectors: int,
    resampling: Resampling,
) -> None:
    """Read, average, write."""
    interventions = VALUE_VECTOR_INTERVENTIONS.read(interventions_path)
    effects = summarise(interventions, vectors, resampling)
    logger.info("%d interventions, %d means", interventions.height, effects.height)
    VALUE_VECTOR_EFFECTS.write(effects, effects_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            interventions_path=Path(snakemake.input.interventions),
            effects_path=Path(snakemake.output.effects),
            vectors=snakemake.params.vectors,
            resampling=Resampling(**snakemake.params.resampling),
        )
