"""Rows of a source: a file, a folder of files, or a dataset on the hub."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.user_files.csv_rows import csv_rows
from doubletake.user_files.json_rows import json_rows
from doubletake.user_files.opening import files_of, suffix_of
from doubletake.user_files.parquet_rows import parquet_rows

READERS = {".parquet": parquet_rows, ".csv": csv_rows, ".tsv": csv_rows}


@dataclass(frozen=True)
class DatasetSettings:
    """A `datasets` entry of the config, defaults filled in."""

    source: str
    """File, folder of files, or hub id."""
    revision: str | None = None
    """Commit on the hub; None for files."""
    name: str | None = None
    """Configuration of the hub dataset."""
    split: str = "test"
    """Split of the hub dataset."""
    limit: int | None = None
    """Number of rows to take from the start; None takes all."""
    thoughts: bool = False
    """Whether the rows are finished thoughts; several thoughts may share a question."""
    columns: dict[str, str | None] = field(default_factory=dict)
    """Columns of the source by what they hold (`columns.ROLES`; None: no such column);
    others are guessed."""
    problems: str | None = None
    """File with the golds of the thoughts, where their own file lacks them."""


def read_rows(
    source: str | Path, limit: int | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and content of each row of a file, or of a folder's files.

    A location is the file and the line (or row), for messages.

    Args:
        source: a file, or a folder.
        limit: number of rows to read; None reads all rows.

    Raises:
        InputError: a file cannot be read or is too large, or a row is not a JSON
            object. The message names the file, and the line or row.
    """
    rows = (
        row
        for path in files_of(source)
        for row in READERS.get(suffix_of(path) or "", json_rows)(path)
    )
    return islice(rows, limit)


def source_rows(settings: DatasetSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and content of each row of a dataset of the config.

    Raises:
        InputError: as `read_rows`, or the hub dataset cannot be loaded.
    """
    if settings.revision is None:
        return read_rows(settings.source, settings.limit)
    return _hub_rows(settings)


def _hub_rows(settings: DatasetSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    import datasets  # slow to import; only hub datasets need it

    where = f"{settings.source} ({settings.name}, {settings.split})"
    try:
        rows = datasets.load_dataset(
            settings.source,
            settings.name,
            split=settings.split,
            revision=settings.revision,
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputError(f"cannot load the dataset {where}: {error}") from error
    for number, row in enumerate(islice(rows, settings.limit), start=1):
        yield f"{where}, row {number}", row
