"""The tables of a study, each read from its file at its first use."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from doubletake.study.registry import stages


class StudyTables(Mapping[str, pl.DataFrame]):
    """All declared tables of a study, by name. Each is read and checked once."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the study's results; no file is read yet."""
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
        """Number of declared tables."""
        return len(self._contracts)
