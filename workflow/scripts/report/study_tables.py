"""The tables of a study's folder, read when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from doubletake.study.registry import stages


class StudyTables(Mapping[str, pl.DataFrame]):
    """Every declared table of a study, by its name; each is read and checked once."""

    def __init__(self, folder: Path) -> None:
        """Of the study's results; nothing is read yet."""
        self._contracts = {
            name.removesuffix(".parquet"): (table, folder / name)
            for stage in stages()
            for table in stage.all_tables
            for name in [table.file(stage.name)]
        }
        self._read: dict[str, pl.DataFrame] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Rows of a table.

        Raises:
            InputError: the file is missing, damaged or breaks the contract.
        """
        if name not in self._read:
            table, path = self._contracts[name]
            self._read[name] = table.read(path)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Names of all tables, read or not."""
        return iter(self._contracts)

    def __len__(self) -> int:
        """How many tables are declared."""
        return len(self._contracts)
