"""Rows of problem files: read with their line numbers, refused by name.

The files are foreign: what is too large is refused before it fills the memory.
"""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError

LONGEST_TEXT = 1_000_000  # characters; twice what a context of 128k tokens holds
LONGEST_LINE = 32 * 2**20  # bytes
MOST_ROWS = 10_000_000  # of a Parquet file
MOST_BYTES = 4 * 2**30  # of a Parquet file, decompressed
ROWS_AT_ONCE = 16


def read_rows(
    path: str | Path, columns: tuple[str, ...], limit: int | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a .jsonl or .parquet file, the first `limit` of them.

    A place names file and line (or row) for messages. Columns beyond those asked for
    are ignored.

    Raises:
        InputError: the file cannot be read or is too large, a line is no JSON object,
            or a column is missing; the message names the line.
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
        InputError: it is no text, or empty, or too long.
    """
    value = row[column]
    if not isinstance(value, str) or not (empty or value.strip()):
        raise InputError(f"{place}: {column!r} is {short(value)}, not a text")
    if len(value) > LONGEST_TEXT:
        raise InputError(
            f"{place}: {column!r} has {len(value):,} characters; the limit is "
            f"{LONGEST_TEXT:,}"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{place}: {column!r} holds half a character (a lone surrogate) at "
            f"{error.start:,}"
        ) from error
    return value


def text_or_number(row: dict[str, Any], column: str, place: str) -> str:
    """A row's text, or its number in digits alone: 1e16 is 10000000000000000.

    Raises:
        InputError: it is neither; a number that is not finite is none.
    """
    value: Any = row.get(column)
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise InputError(
            f"{place}: {column!r} is {short(value)}, neither text nor number"
        )
    return format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")


def short(value: object) -> str:
    """A value for a message; foreign values may be of any size."""
    shown = repr(value[:80] if isinstance(value, str | list) else value)
    return shown if len(shown) <= 120 else f"{shown[:120]} ..."


def _jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                place = f"{path}, line {number}"
                if len(line) > LONGEST_LINE:
                    raise InputError(
                        f"{place}: longer than {LONGEST_LINE // 2**20} MiB"
                    )
                if line.strip():
                    yield place, _json_object(line, place)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _json_object(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not valid JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object")
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows, a few decompressed at a time: a file may hold more than it says."""
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
    """Refuse what would not fit, by what the file says before it is decompressed."""
    groups = range(metadata.num_row_groups)
    size = sum(metadata.row_group(group).total_byte_size for group in groups)
    if metadata.num_rows > MOST_ROWS or size > MOST_BYTES:
        raise InputError(
            f"{path}: {metadata.num_rows:,} rows of {size / 2**30:,.1f} GiB "
            f"decompressed; the limits are {MOST_ROWS:,} rows and "
            f"{MOST_BYTES / 2**30:.0f} GiB"
        )
