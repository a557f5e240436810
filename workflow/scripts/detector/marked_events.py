"""Reads files of events (detected, or labelled by hand).

Each row holds `id`, `arrivals` (each with `end`, the character after the number, and
`value`), `backtracks` (each with `start`, the first character of the sentence) and
optionally `model`. `start` and `end` are characters of the thought.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.detector.events import Events
from doubletake.detector.user_thoughts import row_id
from doubletake.running.errors import InputError
from doubletake.text.answers import number_text
from doubletake.text.user_rows import short, text_or_number
from doubletake.user_files.reading import read_rows

UNKNOWN_MODEL = "unknown"


@dataclass(frozen=True)
class Mark:
    """An event, reduced to what a match compares."""

    character: int
    """Arrival: the character after the number; backtrack: its first character."""
    value: str = ""
    """Arrival: the canonical number; backtrack: empty."""
    cue: str = ""
    """Backtrack: the words that signal the turn."""


@dataclass(frozen=True)
class MarkedTrace:
    """The events that were found or labelled in one thought."""

    trace: str
    model: str
    arrivals: tuple[Mark, ...]
    backtracks: tuple[Mark, ...]


def marks_of(trace: str, model: str, events: Events) -> MarkedTrace:
    """The events of a detector, reduced to what a match compares."""
    return MarkedTrace(
        trace,
        model,
        tuple(Mark(item.end, item.value) for item in events.arrivals),
        tuple(Mark(item.start, cue=item.cue) for item in events.backtracks),
    )


def read_marks(path: str | Path) -> list[MarkedTrace]:
    """Rows of events, each id once.

    Raises:
        InputError: a row cannot be used (the message names its line), or there is none.
    """
    traces: dict[str, MarkedTrace] = {}
    for location, row in read_rows(path):
        for column in ("id", "arrivals", "backtracks"):
            if row.get(column) is None:
                raise InputError(
                    f"{location}: no {column!r}; found: {', '.join(row)[:200]}"
                )
        marked = _marked(row, location)
        if marked.trace in traces:
            raise InputError(f"{location}: a second row with the id {marked.trace!r}")
        traces[marked.trace] = marked
    if not traces:
        raise InputError(f"{path} holds no trace")
    return list(traces.values())


def _marked(row: dict[str, Any], location: str) -> MarkedTrace:
    return MarkedTrace(
        trace=str(row_id(row, location)),
        model=_optional_text(row, "model", location, UNKNOWN_MODEL),
        arrivals=tuple(
            Mark(_character(item, "end", where, row), _value(item, where))
            for where, item in _items(row, "arrivals", location)
        ),
        backtracks=tuple(
            Mark(
                _character(item, "start", where, row),
                cue=_optional_text(item, "cue", where, ""),
            )
            for where, item in _items(row, "backtracks", location)
        ),
    )


def _items(
    row: dict[str, Any], column: str, location: str
) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its location for messages."""
    items = row[column]
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise InputError(f"{location}: {column!r} is not a list of objects")
    return [(f"{location}: {column}[{k}]", item) for k, item in enumerate(items)]


def _value(item: dict[str, Any], where: str) -> str:
    """The canonical number of an arrival, or its text where it is not a number."""
    text = text_or_number(item, "value", where)
    return number_text(text) or text.strip()


def _optional_text(
    row: dict[str, Any], column: str, location: str, missing: str
) -> str:
    """A text that a row may lack."""
    value = row.get(column)
    if value is None:
        return missing
    if not isinstance(value, str):
        raise InputError(f"{location}: {column!r} is {short(value)}, not a text")
    return value


def _character(
    item: dict[str, Any], column: str, where: str, row: dict[str, Any]
) -> int:
    """A character of the thought; inside the thought if the row holds the thought."""
    character = item.get(column)
    if isinstance(character, bool) or not isinstance(character, int) or character < 0:
        raise InputError(
            f"{where}: {column!r} is {short(character)}, not a character's index"
        )
    thought = row.get("thought")
    if isinstance(thought, str) and character > len(thought):
        raise InputError(
            f"{where}: {column!r} is {character}, but the thought ends at "
            f"{len(thought)}"
        )
    return character
