"""Rows of the .jsonl and .parquet files that users bring, read within limits.

A row or file that is too large is refused before it fills the memory. Messages name the
file and the line.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError

LONGEST_TEXT = 1_000_000  # characters; a context of 128k tokens holds half of them
LONGEST_LINE = 32 * 2**20  # bytes
MOST_ROWS = 10_000_000  # of a Parquet file
MOST_BYTES = 4 * 2**30  # of a Parquet file, decompressed
ROWS_AT_ONCE = 16


def read_rows(
    path: str | Path, columns: tuple[str, ...], limit: int | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the location and the content of each row of a file.

    A location is the file and the line (or row), for messages.

    Args:
        path: of a .jsonl or .parquet file.
        columns: that each row must hold; other columns are ignored.
        limit: number of rows to read; None reads all rows.

    Raises:
        InputError: the file cannot be read or is too large, a line is not a JSON
            object, or a column is missing. The message names the line.
    """
    rows = _jsonl(Path(path)) if str(path).endswith(".jsonl") else _parquet(Path(path))
    for count, (location, row) in enumerate(rows):
        if limit is not None and count >= limit:
            return
        for column in columns:
            if row.get(column) is None:
                raise InputError(f"{location}: no {column!r}")
        yield location, row


def text_of(
    row: dict[str, Any], column: str, location: str, *, empty: bool = False
) -> str:
    """A text of a row.

    Args:
        row: of a file.
        column: that holds the text.
        location: of the row, for messages.
        empty: whether the text may be empty.

    Raises:
        InputError: the value is not a text, or is empty or too long.
    """
    value = row[column]
    if not isinstance(value, str) or not (empty or value.strip()):
        raise InputError(f"{location}: {column!r} is {short(value)}, not a text")
    if len(value) > LONGEST_TEXT:
        raise InputError(
            f"{location}: {column!r} has {len(value):,} characters; the limit is "
            f"{LONGEST_TEXT:,}"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{location}: {column!r} holds half a character (a lone surrogate) at "
            f"{error.start:,}"
        ) from error
    return value


def text_or_number(row: dict[str, Any], column: str, location: str) -> str:
    """A text of a row, or a number written in digits: 1e16 is 10000000000000000.

    Raises:
        InputError: the value is neither a text nor a finite number.
    """
    value: Any = row.get(column)
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise InputError(
            f"{location}: {column!r} is {short(value)}, neither text nor number"
        )
    return format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")


def short(value: object) -> str:
    """A value for a message, cut because users' values may have any size."""
    shown = repr(value[:80] if isinstance(value, str | list) else value)
    return shown if len(shown) <= 120 else f"{shown[:120]} ..."


def _jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                location = f"{path}, line {number}"
                if len(line) > LONGEST_LINE:
                    raise InputError(
                        f"{location}: longer than {LONGEST_LINE // 2**20} MiB"
                    )
                if line.strip():
                    yield location, _json_object(line, location)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _json_object(line: bytes, location: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{location}: not valid JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{location}: not a JSON object")
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows, a few decompressed at a time because a file may hide its size."""
    import pyarrow  # slow to import, and only Parquet needs it
    from pyarrow import parquet

    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            _check_size(path, file.metadata)
            number = 0
            for batch in file.iter_batches(ROWS_AT_ONCE):
                batch.validate(full=True)
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise InputError(f"cannot read {path}: {short(str(error))}") from error


def _check_size(path: Path, metadata: Any) -> None:
    """Refuse a file by the size that its metadata name, before it is decompressed."""
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    if metadata.num_rows > MOST_ROWS or size > MOST_BYTES:
        raise InputError(
            f"{path}: {metadata.num_rows:,} rows of {size / 2**30:,.1f} GiB "
            f"decompressed; the limits are {MOST_ROWS:,} rows and "
            f"{MOST_BYTES / 2**30:.0f} GiB"
        )
