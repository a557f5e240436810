"""Rows of JSON files: one object per line, one array of objects, or one object."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from doubletake.running.errors import InputError
from doubletake.user_files.opening import in_utf8, opened, text_lines, whole

WHOLE = "in one JSON value; write one JSON object per line"


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and content of each row.

    The content shows the form, not the name. An array begins with `[`. If the first
    line is not a whole JSON value, the file is taken as one object of several lines.

    Raises:
        InputError: a row is not a JSON object. The message names its line, or its
            number in the array.
    """
    with opened(path) as raw:
        stream = in_utf8(raw, path)
        head = stream.peek(64)  # type: ignore[attr-defined]
        yield from (_array if head.lstrip()[:1] == b"[" else _lines)(stream, path)


def _array(stream: IO[bytes], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = _value(whole(stream, path, WHOLE), str(path))
    for number, row in enumerate(rows, start=1):
        location = f"{path}, row {number}"
        yield location, _object(row, location)


def _lines(stream: IO[bytes], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = (item for item in text_lines(stream, path) if item[1].strip())
    for number, (location, line) in enumerate(lines):
        try:
            row = _value(line, location)
        except InputError:
            if number > 0:
                raise
            row = _one_object(line.encode() + whole(stream, path, WHOLE))
            if row is None:
                raise
        yield location, _object(row, location)


def _one_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that a whole file holds; None if it holds something else."""
    try:
        row = _value(data, "")
    except InputError:
        return None
    return row if isinstance(row, dict) else None


def _value(text: str | bytes, location: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{location}: not valid JSON ({error})") from error


def _object(row: Any, location: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InputError(f"{location}: not a JSON object")
    return row


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; json would keep the last of several equal names without a word."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:80]!r} stands twice in one object")
    return row
