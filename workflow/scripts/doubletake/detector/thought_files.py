"""Files that people bring: thoughts to read, and events found or labelled in them.

A row of thoughts: `id`, `question`, `thought`, optionally `gold` (the reference
answer), `answer` (the text after the thought, or a number) and `closed` (false: the
thought was cut off). The thought may stand between the markers of a model
(`thought_format`); what follows an end marker is the answer where the row has none. A
row of events: `id`, `arrivals` (each with
`end`, the character after the number, and `value`) and `backtracks` (each with `start`,
the first character of the sentence), optionally `model`. A labelled trace is both.
Places are characters of the thought.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.answers import (
    GOLD_MARK,
    final_answer,
    gold_of,
    number_text,
    same_value,
)
from doubletake.text.foreign_thoughts import answer_without_markers, without_markers
from doubletake.text.problem_rows import read_rows, short, text_of, text_or_number
from doubletake.text.thought_format import ThoughtFormat

SUFFIXES = (".jsonl", ".parquet")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class OwnThought:
    """A thought from a file."""

    id: str | int
    """As the file writes it."""
    question: str
    text: str
    """Its thought as the row gives it; places in files are characters of it."""
    written: "Written"
    gold: str | None
    place: str
    """File and line, for messages."""


@dataclass(frozen=True)
class Written:
    """A thought and its answer as a row gives them, freed from markers."""

    thought: str
    start: int
    """Characters of the row's text before it."""
    answer: str | None
    """The text after the thought; None where there is none."""
    closed: bool
    """Whether the thought came to its end."""


@dataclass(frozen=True)
class Mark:
    """The place of an event, by which it is matched."""

    place: int
    """Arrival: the character after the number; backtrack: its first character."""
    value: str = ""
    """Arrival: the canonical number; backtrack: empty."""
    cue: str = ""
    """Backtrack: the words that signal the turn."""


@dataclass(frozen=True)
class MarkedTrace:
    """What was found, or labelled, in one thought."""

    trace: str
    model: str
    arrivals: tuple[Mark, ...]
    backtracks: tuple[Mark, ...]


def read_thoughts(
    path: str | Path, *, gold: bool = False, own: Sequence[ThoughtFormat] = ()
) -> list[OwnThought]:
    """Rows of thoughts.

    Args:
        path: of the file.
        gold: whether each must hold the reference answer.
        own: the format of the thoughts, if it is none of the known ones.

    Raises:
        InputError: names the line and what is wrong with it.
    """
    columns = ("id", "question", "thought", *(["gold"] if gold else []))
    return [_thought(row, place, own) for place, row in _rows(path, columns)]


def read_marked(path: str | Path) -> list[MarkedTrace]:
    """Rows of events, each id once.

    Raises:
        InputError: names the line and what is wrong with it.
    """
    traces: dict[str, MarkedTrace] = {}
    for place, row in _rows(path, ("id", "arrivals", "backtracks")):
        trace = _marked(row, place)
        if trace.trace in traces:
            raise InputError(f"{place}: a second row of the id {trace.trace!r}")
        traces[trace.trace] = trace
    if not traces:
        raise InputError(f"{path} holds no trace")
    return list(traces.values())


def canonical_value(text: str) -> str:
    """The canonical number, or the text itself where it is none."""
    return number_text(text) or text.strip()


def _rows(
    path: str | Path, columns: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a file; its name says which kind it is."""
    if not str(path).endswith(SUFFIXES):
        raise InputError(f"{path}: neither a .jsonl nor a .parquet file by its name")
    return read_rows(path, columns, None)


def _thought(
    row: dict[str, Any], place: str, own: Sequence[ThoughtFormat]
) -> OwnThought:
    return OwnThought(
        id=_id(row, place),
        question=text_of(row, "question", place, empty=True),
        text=text_of(row, "thought", place, empty=True),
        written=written_thought(row, place, own),
        gold=None if row.get("gold") is None else _gold(row, place),
        place=place,
    )


def written_thought(
    row: dict[str, Any], place: str, own: Sequence[ThoughtFormat] = ()
) -> Written:
    """The thought and the answer of a row.

    An answer that is missing, null or blank is none; 0 is an answer. A thought is
    closed if there is an answer or an end marker, unless `closed` says otherwise.

    Args:
        row: with `thought`, and maybe `answer` and `closed`.
        place: file and line, for messages.
        own: the format of the study's model; none where there is no model.

    Raises:
        InputError: a value of another type, or an answer of a thought that is not
            closed.
    """
    answer = _answer(row, place)
    try:
        found = without_markers(text_of(row, "thought", place, empty=True), own)
        if answer is not None:
            answer = answer_without_markers(answer, found.text, own)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    answer = _one_answer(answer, found.after, place)
    closed = row.get("closed")
    if closed is not None and not isinstance(closed, bool):
        raise InputError(f"{place}: 'closed' is {short(closed)}, not true or false")
    ended = answer is not None or found.after is not None
    if closed is False and ended:
        what = "an answer" if answer is not None else "an end marker"
        raise InputError(f"{place}: 'closed' is false, but there is {what}")
    return Written(found.text, found.start, answer, ended or closed is True)


def _one_answer(answer: str | None, after: str | None, place: str) -> str | None:
    """The row's answer, or the text behind the end marker; refused if they differ."""
    behind = after if after is not None and after.strip() else None
    if answer is None or behind is None:
        return behind if answer is None else answer
    values = [final_answer(text) for text in (answer, behind)]
    if answer.strip() != behind.strip() and (
        None in values or not same_value(*(str(value) for value in values))
    ):
        raise InputError(
            f"{place}: 'answer' is {short(answer)}, but behind the end marker in "
            f"'thought' stands {short(behind)}; leave one of them out"
        )
    return answer


def _answer(row: dict[str, Any], place: str) -> str | None:
    """Text of the row's own answer."""
    answer = row.get("answer")
    if answer is None:
        return None
    found = {"answer": text_or_number(row, "answer", place)}
    text = text_of(found, "answer", place, empty=True)
    return text if text.strip() else None


def _marked(row: dict[str, Any], place: str) -> MarkedTrace:
    return MarkedTrace(
        trace=str(_id(row, place)),
        model=_label(row, "model", place, UNKNOWN),
        arrivals=tuple(
            Mark(_offset(item, "end", where, row), _value(item, "value", where))
            for where, item in _items(row, "arrivals", place)
        ),
        backtracks=tuple(
            Mark(_offset(item, "start", where, row), cue=_label(item, "cue", where, ""))
            for where, item in _items(row, "backtracks", place)
        ),
    )


def _items(
    row: dict[str, Any], column: str, place: str
) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its place for messages."""
    items = row[column]
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise InputError(f"{place}: {column!r} is no list of objects")
    return [(f"{place}: {column}[{index}]", item) for index, item in enumerate(items)]


def _id(row: dict[str, Any], place: str) -> str | int:
    name = row["id"]
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise InputError(f"{place}: 'id' is {short(name)}, neither text nor number")
    return name


def _value(row: dict[str, Any], column: str, place: str) -> str:
    return canonical_value(text_or_number(row, column, place))


def _gold(row: dict[str, Any], place: str) -> str:
    """The canonical reference answer."""
    text = text_or_number(row, "gold", place)
    try:
        return gold_of(f"{GOLD_MARK} {text}")
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _label(row: dict[str, Any], column: str, place: str, missing: str) -> str:
    """A text that a row may lack."""
    value = row.get(column)
    if value is None:
        return missing
    if not isinstance(value, str):
        raise InputError(f"{place}: {column!r} is {short(value)}, not a text")
    return value


def _offset(item: dict[str, Any], column: str, where: str, row: dict[str, Any]) -> int:
    """A place in the thought, inside it where the row holds the thought too."""
    offset = item.get(column)
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise InputError(
            f"{where}: {column!r} is {short(offset)}, not a place in the text"
        )
    thought = row.get("thought")
    if isinstance(thought, str) and offset > len(thought):
        raise InputError(
            f"{where}: {column!r} is {offset}, beyond the thought's end {len(thought)}"
        )
    return offset
