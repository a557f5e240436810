"""Rows of any known form as rows with the names of `columns.ROLES`."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from doubletake.running.errors import InputError
from doubletake.user_files.chat_messages import Fields
from doubletake.user_files.columns import fields_of
from doubletake.user_files.joined_problems import JoinedProblems, joined_problems
from doubletake.user_files.prompts import question_of
from doubletake.user_files.reading import DatasetSettings, read_rows, source_rows

logger = logging.getLogger("doubletake")

PROBLEM, THOUGHT = ("question", "gold"), ("question", "thought")
_WAY_OUT = (
    "name columns in `columns` of the dataset, or a file with questions and golds in "
    "`problems` (with make detect and make stop: COLUMNS, PROBLEMS)"
)
_WORDS = {"response": "thought and answer", "cut_off": "whether it was cut off"}
_NAMES_SHOWN = 30


def dataset_rows(
    settings: DatasetSettings,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and row of each problem, or of each thought, of a dataset.

    Raises:
        InputError: a row lacks something that is needed, or its source cannot be read.
    """
    problems = None if settings.problems is None else problems_in(settings.problems)
    needed = (*THOUGHT, "gold") if settings.thoughts else PROBLEM
    rows = source_rows(settings)
    return named_rows(rows, needed, settings.columns, problems)


def problems_in(source: str) -> JoinedProblems:
    """The problems of a file, to be joined to thoughts."""
    return joined_problems(source, named_rows(read_rows(source), PROBLEM))


def named_rows(
    rows: Iterable[tuple[str, dict[str, Any]]],
    needed: Sequence[str],
    columns: Mapping[str, str | None] | None = None,
    problems: JoinedProblems | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Location and content of each row, with the names of `columns.ROLES`.

    A row with several completions gives a row for each. The log says once for each form
    of rows which columns hold what.

    Args:
        rows: location and content, as their file has them.
        needed: roles that each row must have. `thought` is fulfilled by `response` too.
        columns: columns that the user names, by role; None: there is no such column.
        problems: the golds of the thoughts, from another file.

    Raises:
        InputError: a row lacks a role. The message names the columns that are needed
            and those that are there.
    """
    thoughts = "thought" in needed
    told: set[str] = set()
    for location, row in _without_filters(rows):
        samples = fields_of(row, location, columns or {}, thoughts=thoughts)
        for number, sample in enumerate(samples):
            place = f"{location}, completion {number}" if samples[1:] else location
            fields = sample if problems is None else problems.joined(sample, place)
            fields = _with_question(fields, place)
            _refuse_gaps(fields, needed, row, place)
            form = _form(fields)
            if form not in told:
                told.add(form)
                logger.info("%s: %s%s", place, form, _unused(fields, row))
            found = {role: value for role, (_, value) in fields.items()}
            if samples[1:] and "id" in found:
                found["id"] = f"{found['id']}/{number}"
            yield place, found


def _with_question(fields: Fields, location: str) -> Fields:
    """The question of a prompt takes the place of the prompt."""
    path, prompt = fields.get("prompt", ("", None))
    rest = {role: item for role, item in fields.items() if role != "prompt"}
    if not path or "question" in rest:
        return rest
    try:
        question = question_of(prompt) if isinstance(prompt, str) else prompt
    except InputError as error:
        raise InputError(f"{location}: {error}") from error
    return rest | {"question": (path, question)}


def _refuse_gaps(
    fields: Fields, needed: Sequence[str], row: dict[str, Any], location: str
) -> None:
    """Refuse a row that lacks a role, with the columns that it has."""
    has = set(fields) | ({"thought"} if "response" in fields else set())
    missing = [role for role in needed if role not in has]
    if missing:
        wanted = ", ".join(
            "thought (or response: thought and answer with markers)"
            if role == "thought"
            else role
            for role in needed
        )
        lacks = " and ".join(map(repr, missing))
        raise InputError(
            f"{location}: no {lacks}; needed: {wanted}; found: {_columns(row)}; "
            f"{_WAY_OUT}"
        )


def _columns(row: dict[str, Any]) -> str:
    """Columns with a value, and the names in objects, for messages."""
    names = []
    for name, value in row.items():
        if isinstance(value, dict):
            names += [f"{name}.{inner}" for inner in value]
        elif value is not None:
            names.append(str(name))
    shown = ", ".join(name[:80] for name in names[:_NAMES_SHOWN])
    return (shown or "nothing") + (", ..." if names[_NAMES_SHOWN:] else "")


def _without_filters(
    rows: Iterable[tuple[str, dict[str, Any]]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of lm-evaluation-harness once, not once for each of its filters.

    A filter picks the answer out of a completion. The completion is the same.
    """
    first: dict[tuple[str, str], Any] = {}
    for location, row in rows:
        if "resps" in row and "filter" in row:
            key = (location.rpartition(",")[0], str(row.get("doc_id")))
            if first.setdefault(key, row["filter"]) != row["filter"]:
                continue
        yield location, row


def _form(fields: Fields) -> str:
    """A sentence that says which columns hold what."""
    return ", ".join(
        f"{_WORDS.get(role, role)} from {re.sub(r'[.][0-9]+', '.N', path)!r}"
        for role, (path, _) in fields.items()
    )


def _unused(fields: Fields, row: dict[str, Any]) -> str:
    outer = {path.partition(".")[0] for path, _ in fields.values()}
    names = [str(name)[:80] for name in row if name not in outer][:_NAMES_SHOWN]
    return f"; not used: {', '.join(names)}" if names else ""
