"""Join the parts of one table that the shards made.

Inputs
    parts: Parquet files of one table, one per shard.

Outputs
    table: their rows in a stable order. Rows of `schemas.VERIFICATION` about the same
        figure become one.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.tables.table import Table, table_named
from doubletake.tables.verification import VERIFICATION

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("doubletake.merge_tables")


def merge(table: Table, parts: list[pl.DataFrame], sort: list[str]) -> pl.DataFrame:
    """All rows, sorted; equal keys keep the order of the parts.

    Raises:
        InputError: a column to sort by that the table does not have.
    """
    unknown = set(sort) - set(table.schema)
    if unknown:
        raise InputError(f"table {table.name} has no column {min(unknown)} to sort by")
    rows = pl.concat([table.schema.to_frame(), *parts])
    if table is VERIFICATION:
        rows = merge_figures(rows)
    return rows.sort(sort, maintain_order=True) if sort else rows


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
    *, part_paths: list[Path], table_path: Path, name: str, sort: list[str]
) -> None:
    """Read and check the parts, join them, write the table."""
    table = table_named(name)
    merged = merge(table, [table.read(path) for path in part_paths], sort)
    logger.info("%s: %d rows of %d parts", name, merged.height, len(part_paths))
    table.write(merged, table_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            part_paths=[Path(path) for path in snakemake.input.parts],
            table_path=Path(snakemake.output.table),
            name=snakemake.params.table,
            sort=snakemake.params.sort,
        )
