"""Rows of CSV files; every value is a text, and an empty one is missing."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.user_files.opening import LONGEST_LINE, in_utf8, opened, text_lines

DELIMITERS = ",;\t"
LONGEST_HEADER = 4096  # bytes that are searched for the delimiter


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location (the line on which a row begins) and content of each row.

    The first line names the columns. A column without a name (pandas writes its index
    so) is left out. Of comma, semicolon and tab, the one that is most often in the
    first line separates values. Values with line breaks stand in double quotes.

    Raises:
        InputError: a row has another number of values than the first line, two columns
            have one name, or a quote is not closed.
    """
    csv.field_size_limit(LONGEST_LINE)
    with opened(path) as raw:
        stream = in_utf8(raw, path)
        head = stream.peek(LONGEST_HEADER)  # type: ignore[attr-defined]
        header = head.partition(b"\n")[0].decode("utf-8", "replace")
        lines = (line for _, line in text_lines(stream, path))
        reader = csv.reader(
            lines, delimiter=max(DELIMITERS, key=header.count), strict=True
        )
        names: list[str] | None = None
        location = f"{path}, line 1"
        try:
            for values in reader:
                if names is None:
                    names = _names(values, location)
                elif values:
                    yield location, _row(names, values, location)
                location = f"{path}, line {reader.line_num + 1}"
        except csv.Error as error:
            raise InputError(f"{location}: not valid CSV ({error})") from error


def _names(values: list[str], location: str) -> list[str]:
    names = [value.strip() for value in values]
    for name in names:
        if name and names.count(name) > 1:
            raise InputError(f"{location}: {name!r} names two columns")
    return names


def _row(names: list[str], values: list[str], location: str) -> dict[str, Any]:
    if len(values) != len(names):
        raise InputError(
            f"{location}: {len(values)} values, but the first line names "
            f"{len(names)} columns"
        )
    cells = zip(names, values, strict=True)
    return {name: value or None for name, value in cells if name}
