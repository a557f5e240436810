"""Parses users' thoughts, for import and `make detect`.

Each row (of `doubletake.user_files.named_rows`) holds `question` and either `thought`
or `response` (thought and answer in one text, with markers). Optional are `id`, `gold`
(the reference answer), `answer` (the text after the thought, or a number) and `closed`
(false: the thought was cut off). The thought may stand between the markers of a model
(see `known_formats`). If a row has no answer, the text after the end marker is the
answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.answers import GOLD_MARK, final_answer, gold_of, same_value
from doubletake.text.marker_removal import (
    StrippedThought,
    answer_without_markers,
    without_markers,
)
from doubletake.text.thought_format import ThoughtFormat
from doubletake.text.user_rows import short, text_of, text_or_number
from doubletake.user_files.named_rows import THOUGHT, named_rows, problems_in
from doubletake.user_files.reading import read_rows


@dataclass(frozen=True)
class ThoughtAndAnswer:
    """The thought and the answer of a row, without markers."""

    thought: str
    start: int
    """Number of characters before the thought in the row's text."""
    answer: str | None
    """The text after the thought; None where the row has no answer."""
    closed: bool
    """Whether the thought came to its end."""


@dataclass(frozen=True)
class UserThought:
    """A row of a file of thoughts."""

    id: str | int
    """As the file writes it; the number of the row, from 1, if it writes none."""
    question: str
    text: str
    """The thought, or the response, as the row gives it; positions in files are
    characters of it."""
    content: ThoughtAndAnswer
    gold: str | None
    """Canonical reference answer."""


def read_thoughts(
    path: str | Path,
    *,
    gold: bool = False,
    formats: Sequence[ThoughtFormat] = (),
    columns: Mapping[str, str | None] | None = None,
    problems: str | None = None,
) -> list[UserThought]:
    """Rows of thoughts.

    Args:
        path: of a file, or of a folder of files.
        gold: whether each row must hold the reference answer.
        formats: the format of the thoughts, if it is not one of the known formats.
        columns: columns that the user names, by role.
        problems: a file with the questions and golds, if the file of thoughts lacks
            them.

    Raises:
        InputError: a row cannot be used; the message names its line.
    """
    needed = (*THOUGHT, *(["gold"] if gold else []))
    joined = None if problems is None else problems_in(problems)
    rows = named_rows(read_rows(path), needed, columns, joined)
    return [
        _thought({"id": number} | row, location, formats)
        for number, (location, row) in enumerate(rows, start=1)
    ]


def row_id(row: dict[str, Any], location: str) -> str | int:
    """The id of a row.

    Raises:
        InputError: it is neither a text nor a number.
    """
    name = row["id"]
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise InputError(f"{location}: 'id' is {short(name)}, neither text nor number")
    return name


def thought_and_answer(
    row: dict[str, Any], location: str, formats: Sequence[ThoughtFormat] = ()
) -> ThoughtAndAnswer:
    """The thought and the answer of a row, without markers.

    A row has no answer if `answer` is missing, null or blank; 0 is an answer. A thought
    is closed if there is an answer or an end marker, unless `closed` says otherwise. A
    response without any marker is a thought that was cut off, if the row says so.

    Args:
        row: with `thought` or `response`, and perhaps `answer`, `closed` and `cut_off`.
        location: file and line, for messages.
        formats: the format of the study's model; empty where there is no model.

    Raises:
        InputError: a value has another type, or there is an answer although the thought
            is not closed.
    """
    answer = _answer(row, location)
    try:
        text = _text(row, location)
        stripped = without_markers(text, formats)
        if answer is not None:
            answer = answer_without_markers(answer, stripped.text, formats)
    except InputError as error:
        raise InputError(f"{location}: {error}") from error
    answer = _one_answer(answer, stripped.after, location)
    closed = _closed(row, location)
    if "response" in row and stripped == StrippedThought(text, 0, None):
        _refuse_without_markers(row, location, closed)
    ended = answer is not None or stripped.after is not None
    if closed is False and ended:
        what = "an answer" if answer is not None else "an end marker"
        raise InputError(f"{location}: 'closed' is false, but there is {what}")
    return ThoughtAndAnswer(
        stripped.text, stripped.start, answer, ended or closed is True
    )


def _thought(
    row: dict[str, Any], location: str, formats: Sequence[ThoughtFormat]
) -> UserThought:
    return UserThought(
        id=row_id(row, location),
        question=text_of(row, "question", location, empty=True),
        text=_text(row, location),
        content=thought_and_answer(row, location, formats),
        gold=None if row.get("gold") is None else _gold(row, location),
    )


def _text(row: dict[str, Any], location: str) -> str:
    """The text of a row that holds the thought."""
    column = "thought" if "thought" in row else "response"
    return text_of(row, column, location, empty=True)


def _closed(row: dict[str, Any], location: str) -> bool | None:
    """Whether the row says that the thought came to its end; None: it does not say."""
    closed = row.get("closed")
    if isinstance(closed, str):  # a CSV file has only texts
        closed = {"true": True, "false": False}.get(closed.strip().lower(), closed)
    if closed is not None and not isinstance(closed, bool):
        raise InputError(f"{location}: 'closed' is {short(closed)}, not true or false")
    return closed


def _refuse_without_markers(
    row: dict[str, Any], location: str, closed: bool | None
) -> None:
    """Refuse a response without markers, unless it is a thought that was cut off."""
    if closed is not False and not row.get("cut_off"):
        raise InputError(
            f"{location}: no marker such as </think> stands in the response "
            f"{short(row['response'])}, so it is not known where the thought ends; if "
            "it was cut off, say so in a column 'closed' (false) or 'finish_reason' "
            "(length)"
        )


def _one_answer(answer: str | None, after: str | None, location: str) -> str | None:
    """The row's answer, or the text after the end marker; refused if the two differ."""
    marked_answer = after if after is not None and after.strip() else None
    if answer is None or marked_answer is None:
        return marked_answer if answer is None else answer
    values = [final_answer(text) for text in (answer, marked_answer)]
    if answer.strip() != marked_answer.strip() and (
        None in values or not same_value(*(str(value) for value in values))
    ):
        raise InputError(
            f"{location}: 'answer' is {short(answer)}, but the text after the end "
            f"marker in 'thought' is {short(marked_answer)}; leave one of them out"
        )
    return answer


def _answer(row: dict[str, Any], location: str) -> str | None:
    """Text of the row's `answer`; None where it is missing, null or blank."""
    answer = row.get("answer")
    if answer is None:
        return None
    as_text = {"answer": text_or_number(row, "answer", location)}
    text = text_of(as_text, "answer", location, empty=True)
    return text if text.strip() else None


def _gold(row: dict[str, Any], location: str) -> str:
    """The canonical reference answer."""
    text = text_or_number(row, "gold", location)
    try:
        return gold_of(f"{GOLD_MARK} {text}")
    except InputError as error:
        raise InputError(f"{location}: {error}") from error
