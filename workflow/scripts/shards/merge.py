"""Joins the parts of a stage's tables; every shard has written one part of each.

Inputs
    by key of a table in `Stage.shards`: Parquet files, one per shard.

Outputs
    by key of a table: the rows of all parts, sorted as the table says. Rows of
        `VERIFICATION` about the same figure become one row.
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

logger = logging.getLogger("merge")


def merge(table: Table, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows in the table's order; rows of equal keys keep the order of the parts."""
    rows = pl.concat([table.schema.to_frame(), *parts])
    if table is VERIFICATION:
        rows = merge_verification(rows)
    return rows.sort(table.sort, maintain_order=True) if table.sort else rows


def merge_verification(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per figure, with the value that a single shard would have given.

    The column `merge` says how the values of a figure become one. A mean is weighted
    by the numbers of cases. A part without cases is left out. A figure without cases
    in all parts has no value. One value that is not a number (NaN) makes the whole
    figure NaN.

    Args:
        rows: of `VERIFICATION`, from all parts.

    Returns:
        The same columns; figures keep the order in which they first appear.
    """
    counted = pl.col("value").is_not_null() & (pl.col("n") > 0)
    values, weights = (pl.col(name).filter(counted) for name in ("value", "n"))
    mean = (values * weights).sum() / weights.sum()
    figures = rows.group_by(
        ["stage", "check", "statistic", "unit", "merge"], maintain_order=True
    ).agg(
        mean=mean,
        sum=values.sum(),
        max=values.nan_max(),  # `max` would ignore a NaN
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
