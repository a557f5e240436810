"""Columns of every table that passes from one rule to another, and how it is stored.

A table is checked against its schema when it is written and when it is read: names,
order and types of the columns, and no null where the schema allows none. Its file holds
the digest of its own bytes, checked when it is read.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from doubletake.running.errors import InputError
from doubletake.running.files import write_whole
from doubletake.running.seals import BLANK, MARK, read_sealed, sealed


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    """What a value means."""
    nullable: bool = False
    unit: str = ""
    """Of numbers; empty for texts, flags and numbers without a unit."""
    values: tuple[str, ...] = ()
    """The only values that it may have, where there are so few."""


@dataclass(frozen=True)
class Table:
    """Contract of one table."""

    name: str
    """Path in the study's folder without suffix; `*` stands for a stage's folder."""
    columns: tuple[Column, ...]
    sort: tuple[str, ...] = ()
    """Columns by which rows are sorted where shards are joined."""
    holds: str = ""
    """What it holds, one phrase."""

    def __post_init__(self) -> None:
        """Refuse to be sorted by a column that it does not have."""
        if unknown := set(self.sort) - {column.name for column in self.columns}:
            raise ValueError(f"table {self.name} has no column {min(unknown)}")

    @property
    def key(self) -> str:
        """Its name without folder."""
        return self.name.rpartition("/")[2]

    def file(self, stage: str) -> str:
        """Path in the study's folder.

        Args:
            stage: name of the stage that leaves it.
        """
        return f"{self.name.replace('*', stage)}.parquet"

    def part(self, stage: str) -> str:
        """Path of a shard's part in the study's folder, with `{shard}` in it."""
        return f"{stage}/shards/{{shard}}.{self.key}.parquet"

    @property
    def schema(self) -> pl.Schema:
        """Names and types, in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def frame(self, rows: list[dict]) -> pl.DataFrame:
        """Build a checked table from rows; no rows give an empty table."""
        return self.check(pl.DataFrame(rows, schema=self.schema, orient="row"))

    def check(self, table: pl.DataFrame, origin: str = "") -> pl.DataFrame:
        """Return `table` if it keeps the contract.

        Raises:
            InputError: names the table, its origin and the first column at fault.
        """
        where = f"table {self.name}{f' ({origin})' if origin else ''}"
        if list(table.columns) != [column.name for column in self.columns]:
            raise InputError(
                f"{where}: expected the columns "
                f"{[column.name for column in self.columns]}, got {table.columns}"
            )
        for column in self.columns:
            if table.schema[column.name] != column.dtype:
                raise InputError(
                    f"{where}: column {column.name} is {table.schema[column.name]}, "
                    f"not {column.dtype}"
                )
            nulls = table[column.name].null_count()
            if nulls and not column.nullable:
                raise InputError(f"{where}: {nulls} nulls in column {column.name}")
            if column.values:
                strange = set(table[column.name].unique()) - {*column.values, None}
                if strange:
                    raise InputError(
                        f"{where}: column {column.name} is {min(strange)!r}, not one "
                        f"of {', '.join(column.values)}"
                    )
        return table

    def read(self, path: str | Path) -> pl.DataFrame:
        """Read and check a Parquet file.

        Raises:
            InputError: the file is missing, damaged or breaks the contract.
        """
        return self.check(pl.read_parquet(io.BytesIO(read_sealed(path))), str(path))

    def write(self, table: pl.DataFrame, path: str | Path) -> None:
        """Check, seal, write under a temporary name, rename when complete.

        Raises:
            InputError: the table breaks the contract, or the disk takes no more.
        """
        self.check(table, str(path))
        file = io.BytesIO()
        table.write_parquet(file, metadata={MARK: BLANK})
        write_whole(path, sealed(file.getvalue()))


TEXT, FLAG = pl.String, pl.Boolean
COUNT, REAL, BIG = pl.Int32, pl.Float64, pl.Int64
