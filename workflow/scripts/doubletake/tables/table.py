"""The contract of a table: its columns, and how it is checked, written and read.

A table is checked when it is written and when it is read: names, order and types of its
columns, nulls, and allowed values. Its file holds a digest of its own bytes, which is
checked when the file is read.
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
    """Meaning of a value."""
    nullable: bool = False
    unit: str = ""
    """Unit of a number; empty for texts, flags and numbers without a unit."""
    values: tuple[str, ...] = ()
    """All allowed values; empty if any value is allowed."""


@dataclass(frozen=True)
class Table:
    """Contract of one table."""

    name: str
    """Path in the study's folder without suffix; `*` stands for a stage's folder."""
    columns: tuple[Column, ...]
    sort: tuple[str, ...] = ()
    """Columns by which rows are sorted where shards are joined."""
    holds: str = ""
    """Content of the table, in one phrase."""

    def __post_init__(self) -> None:
        """Refuse a sort column that the table does not have."""
        if unknown := set(self.sort) - {column.name for column in self.columns}:
            raise ValueError(f"table {self.name} has no column {min(unknown)}")

    @property
    def key(self) -> str:
        """The table's name without its folder."""
        return self.name.rpartition("/")[2]

    def file(self, stage: str) -> str:
        """Path in the study's folder.

        Args:
            stage: name of the stage that writes the table.
        """
        return f"{self.name.replace('*', stage)}.parquet"

    def part(self, stage: str) -> str:
        """Path of one shard's part in the study's folder; it contains `{shard}`."""
        return f"{stage}/shards/{{shard}}.{self.key}.parquet"

    @property
    def schema(self) -> pl.Schema:
        """Names and types of the columns, in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def frame(self, rows: list[dict]) -> pl.DataFrame:
        """Build and check a table from rows. An empty list gives an empty table."""
        return self.check(pl.DataFrame(rows, schema=self.schema, orient="row"))

    def check(self, table: pl.DataFrame, origin: str = "") -> pl.DataFrame:
        """Return `table` if it keeps the contract.

        Raises:
            InputError: the table breaks the contract. The message names the table, its
                origin and the first wrong column.
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
                unknown = set(table[column.name].unique()) - {*column.values, None}
                if unknown:
                    raise InputError(
                        f"{where}: column {column.name} is {min(unknown)!r}, not one "
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
        """Check and seal a table, then write it under a temporary name and rename it.

        Raises:
            InputError: the table breaks the contract, or the disk is full.
        """
        self.check(table, str(path))
        file = io.BytesIO()
        table.write_parquet(file, metadata={MARK: BLANK})
        write_whole(path, sealed(file.getvalue()))


TEXT, FLAG = pl.String, pl.Boolean
# Numbers: whole with 32 bits, with decimals (64 bits), whole with 64 bits.
COUNT, REAL, BIG = pl.Int32, pl.Float64, pl.Int64
