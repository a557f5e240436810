"""Join the parts that the shards of a stage made of its tables.

Inputs
    by table (`Stage.shards`, by its key): Parquet files, one per shard.

Outputs
    by table: their rows, sorted as the table says. Rows of `VERIFICATION` about the
        same figure become one.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.study.declaration import Stage
from doubletake.study.registry import stage_named
from doubletake.tables.table import Table
from doubletake.tables.verification import VERIFICATION

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("doubletake.merge_tables")


def merge(table: Table, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows in the table's order; rows of equal keys keep the order of the parts."""
    rows = pl.concat([table.schema.to_frame(), *parts])
    if table is VERIFICATION:
        rows = merge_figures(rows)
    return rows.sort(table.sort, maintain_order=True) if table.sort else rows


def merge_figures(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per figure: what it would be had there been one shard.

    The column `merge` says how: means are weighted by their numbers of cases. A part
    without cases says nothing, and a figure without cases in any part has no value. A
    value that is not a number (NaN) makes the whole figure NaN.

    Args:
        rows: `schemas.VERIFICATION` of all parts.

    Returns:
        The same columns, in the order in which the figures first appear.
    """
    counted = pl.col("value").is_not_null() & (pl.col("n") > 0)
    values, weights = (pl.col(name).filter(counted) for name in ("value", "n"))
    mean = (values * weights).sum() / weights.sum()
    figures = rows.group_by(
        ["stage", "check", "statistic", "unit", "merge"], maintain_order=True
    ).agg(
        mean=mean,
        sum=values.sum(),
        max=values.nan_max(),  # `max` would pass over a NaN
        counted=counted.any(),
        n=pl.col("n").sum(),
        bound=pl.col("bound").max(),
    )
    value = (
        pl.when(~pl.col("counted"))
        .then(None)
        .when(merge="mean")
        .then("mean")
        .when(merge="sum")
        .then("sum")
        .otherwise("max")
    )
    return figures.with_columns(value=value).select(list(VERIFICATION.schema))


def main(
    *, stage: Stage, part_paths: dict[str, list[Path]], table_paths: dict[str, Path]
) -> None:
    """Read and check the parts of every table, join them, write the tables."""
    for table in stage.shards:
        paths = part_paths[table.key]
        rows = merge(table, [table.read(path) for path in paths])
        logger.info("%s: %d rows of %d parts", table.key, rows.height, len(paths))
        table.write(rows, table_paths[table.key])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            stage=stage_named(snakemake.params.stage),
            part_paths={
                key: [Path(path) for path in paths]
                for key, paths in snakemake.input.items()
            },
            table_paths={key: Path(path) for key, path in snakemake.output.items()},
        )
