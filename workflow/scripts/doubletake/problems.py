"""Rows of problem files: read with their line numbers, refused by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from doubletake.errors import InputError


def read_rows(
    path: str | Path, columns: tuple[str, ...], limit: int | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a .jsonl or .parquet file, the first `limit` of them.

    A place names file and line (or row) for messages. Columns beyond those asked for
    are ignored.

    Raises:
        InputError: the file cannot be read, a line is no JSON object, or a column is
            missing; the message names the line.
    """
    rows = _jsonl(Path(path)) if str(path).endswith(".jsonl") else _parquet(Path(path))
    for count, (place, row) in enumerate(rows):
        if limit is not None and count >= limit:
            return
        for column in columns:
            if row.get(column) is None:
                raise InputError(f"{place}: no {column!r}")
        yield place, row


def text_of(
    row: dict[str, Any], column: str, place: str, *, empty: bool = False
) -> str:
    """A row's text, which may be `empty` only where that is said.

    Raises:
        InputError: it is no text, or empty.
    """
    value = row[column]
    if not isinstance(value, str) or not (empty or value.strip()):
        raise InputError(f"{place}: {column!r} is {value!r}, not a text")
    return value


def _jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    place = f"{path}, line {number}"
                    yield place, _json_object(line, place)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _json_object(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{place}: not valid JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object")
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    for number, row in enumerate(table.iter_rows(named=True), start=1):
        yield f"{path}, row {number}", row
