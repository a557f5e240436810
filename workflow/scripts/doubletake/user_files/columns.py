"""Which columns of a row hold what: named by the user, or guessed from known names."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.user_rows import short
from doubletake.user_files.chat_messages import (
    REASONING,
    Fields,
    chat_fields,
    is_chat,
    is_text,
)
from doubletake.user_files.completions import CUT_OFF, SAMPLES, completions_of

ROLES = ("id", "question", "gold", "thought", "response", "answer", "closed")
"""Id of the row; question; reference answer; thought alone; thought and answer in one
text with markers; text after the thought; whether the thought came to its end."""
IDS = ("id", "custom_id", "request_id", "doc_id", "unique_id")
QUESTIONS = ("question", "question_concat", "problem", "query")
PROMPTS = ("prompt", "messages", "conversations", "conversation")
GOLDS = (
    *("gold", "target", "answer_number", "expected_answer", "ground_truth"),
    *("reference_answer", "correct_answer", "answer", "Answer", "solution"),
)
RESPONSES = (
    *("response", "output", "completion", "generation", "generated_text"),
    *("model_output", "prediction", "content", "text"),
)
NESTED = ("doc", "body", "request")
"""Objects in a row that may hold question and reference answer (lm-evaluation-harness;
requests of OpenAI's batches)."""


def fields_of(
    row: dict[str, Any],
    location: str,
    columns: Mapping[str, str | None],
    *,
    thoughts: bool,
) -> list[Fields]:
    """What a row holds, once for each of its completions.

    A prompt that a chat template may have written has the role `prompt`. The role
    `cut_off` tells whether the completion reached the longest length.

    Args:
        row: of a user's file.
        location: of the row, for messages.
        columns: columns that the user names, by role (None: there is no such column).
            Other roles are guessed.
        thoughts: whether the row holds thoughts; else its `answer` is the reference.

    Raises:
        InputError: a known form holds something else than texts.
    """
    named = {
        role: (path, value)
        for role, path in columns.items()
        if path is not None and (value := _at(row, path)) is not None
    }
    row = _unpacked(row)
    taken = frozenset(filter(None, columns.values()))
    common = _first("id", row, IDS)
    if "question" not in columns:
        common |= _question(row, location)
    completions: list[Fields] = [{}]
    if thoughts and not {"thought", "response"} & columns.keys():
        completions = _completions(row, location, taken)
    return [
        _completed(row, common | completion, columns, thoughts=thoughts) | named
        for completion in completions
    ]


def _unpacked(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its lists and objects; a CSV file holds them as JSON texts."""
    packed = {}
    for name in (*SAMPLES, *NESTED, *PROMPTS[1:], "response"):
        value = row.get(name)
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            with suppress(ValueError, RecursionError):
                packed[name] = json.loads(value)
    return row | packed


def _completed(
    row: dict[str, Any],
    found: Fields,
    columns: Mapping[str, str | None],
    *,
    thoughts: bool,
) -> Fields:
    """The guessed roles of a completion, with those that all completions share."""
    used = {path for path, _ in found.values()} | set(filter(None, columns.values()))
    found = found | _first("gold", row, GOLDS, used)
    if thoughts:
        found |= _column("closed", row, ("closed",))
        finish = row.get("finish_reason")
        if "cut_off" not in found and isinstance(finish, str):
            found["cut_off"] = ("finish_reason", finish in CUT_OFF)
    return {role: item for role, item in found.items() if role not in columns}


def _completions(
    row: dict[str, Any], location: str, taken: Collection[str]
) -> list[Fields]:
    """Thoughts, or texts with thoughts in them, in the first form that is found."""
    own = _column("thought", row, ("thought",), taken)
    if own:
        return [own | _column("answer", row, ("answer",), taken)]
    found = completions_of(row, location)
    if found:
        return found
    thought = _column("thought", row, REASONING, taken)
    if thought:
        names = (
            "content",
            *RESPONSES,
            "answer",
        )  # beside reasoning, OpenAI's name first
        return [thought | _column("answer", row, names, taken)]
    response = _column("response", row, RESPONSES, taken)
    if response:
        return [response]
    for path, value in _column("chat", row, PROMPTS).values():
        if is_chat(value):
            fields = chat_fields(path, value, location)
            return [{role: fields[role] for role in fields if role != "question"}]
    return [{}]


def _question(row: dict[str, Any], location: str) -> Fields:
    """The question, from a column of its own, a prompt or chat messages."""
    found = _first("question", row, QUESTIONS)
    if found:
        return found
    if is_text(row.get("Body")) and is_text(row.get("Question")):  # SVAMP
        return {"question": ("Body + Question", f"{row['Body']} {row['Question']}")}
    found = _first("prompt", row, PROMPTS)
    for path, value in found.values():
        if is_chat(value):
            return {"question": chat_fields(path, value, location)["question"]}
        if not path.endswith(PROMPTS[0]):
            raise InputError(f"{location}: {path!r} is {short(value)}, not a chat")
    return found


def _first(
    role: str,
    row: dict[str, Any],
    names: Sequence[str],
    taken: Collection[str] = (),
) -> Fields:
    """The first of these columns with a value, in the row or an object in it."""
    found = _column(role, row, names, taken)
    for outer in NESTED:
        if not found and isinstance(row.get(outer), dict):
            paths = {f"{outer}.{name}": row[outer].get(name) for name in names}
            found = _column(role, paths, list(paths), taken)
    return found


def _column(
    role: str,
    row: Mapping[str, Any],
    names: Sequence[str],
    taken: Collection[str] = (),
) -> Fields:
    """The first of these columns with a value that is not taken for another role."""
    for name in names:
        if row.get(name) is not None and name not in taken:
            return {role: (name, row[name])}
    return {}


def _at(row: dict[str, Any], path: str) -> Any:
    """The value of a column, or at a path of names and numbers (`outputs.0.text`)."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
