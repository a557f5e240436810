"""How much does scaling the vectors change the logits, beside random vectors?

Inputs
    interventions: one row per position, set of vectors and factor.

Outputs
    effects: means over positions, with intervals over problems.
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

CHANGES = ("logit_change", "margin_change")


def by_position(interventions: pl.DataFrame) -> pl.DataFrame:
    """The vectors beside the mean of the random draws, a row per position and factor.

    Columns: trace, event, problem, layer, side, factor; `written`, `logit_change` and
    `margin_change`, each also with `_random`; both changes also with `_excess`.
    """
    keys = ["trace", "event", "problem", "layer", "side", "factor"]
    names = ("written", *CHANGES)
    vectors = interventions.filter(draw=0).select(*keys, *names)
    random_means = (
        interventions.filter(pl.col("draw") > 0)
        .group_by(keys)
        .agg(pl.col(name).mean().alias(f"{name}_random") for name in names)
    )
    return vectors.join(random_means, on=keys).with_columns(
        (pl.col(name) - pl.col(f"{name}_random")).alias(f"{name}_excess")
        for name in CHANGES
    )


def summarise(
    interventions: pl.DataFrame, vectors: int, resampling: Resampling
) -> pl.DataFrame:
    """The table `value_vectors/effects`: means over positions, with intervals."""
    suffixes = ("", "_random", "_excess")
    columns = [f"{name}{suffix}" for name in CHANGES for suffix in suffixes]
    rows = []
    groups = (
        by_position(interventions)
        .sort("layer", "side", "factor", "trace", "event")
        .group_by("layer", "side", "factor", maintain_order=True)
    )
    for (layer, side, factor), part in groups:
        row: dict[str, Any] = {
            "layer": layer,
            "side": side,
            "factor": factor,
            "vectors": vectors,
            "positions": part.height,
            "problems": part["problem"].n_unique(),
            "written": part["written"].mean(),
            "written_random": part["written_random"].mean(),
        }
        values = np.stack([part[column].to_numpy() for column in columns], axis=1)
        means = cluster_means(values, part["problem"].to_numpy(), resampling)
        for column, mean in zip(columns, means, strict=True):
            row |= {
                column: mean.value,
                f"{column}_low": mean.low,
                f"{column}_high": mean.high,
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
    """Read the interventions, average them, write the effects."""
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
