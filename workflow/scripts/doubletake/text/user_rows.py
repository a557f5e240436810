"""Values of the rows that users bring, checked; messages name the file and the line."""

import math
from decimal import Decimal
from typing import Any

from doubletake.running.errors import InputError

LONGEST_TEXT = 1_000_000  # characters; a context of 128k tokens holds half of them


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
