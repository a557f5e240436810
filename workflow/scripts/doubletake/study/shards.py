"""Shards: each of n jobs gets every n-th row of a table."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Snakemake starts faster without it
    import polars as pl

ONE_SHARD = "1-of-1"
"""Name of the shard of work that is not cut into shards."""


def shard_names(count: int) -> list[str]:
    """Names of the shards: 1-of-4, 2-of-4, ..."""
    return [f"{k}-of-{count}" for k in range(1, count + 1)]


def indices_of_shard(count: int, shard: str) -> range:
    """Indices that belong to a shard, of `count` items, counted from 0."""
    number, _, shards = shard.partition("-of-")
    return range(int(number) - 1, count, int(shards))


def rows_of_shard(table: "pl.DataFrame", shard: str) -> "pl.DataFrame":
    """The rows of a table that belong to a shard, in their order."""
    indices = indices_of_shard(table.height, shard)
    return table.gather_every(indices.step, indices.start)
