"""What the page says of a model that reads thoughts which it may not have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import plural

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def is_reader(data: StudyData) -> bool:
    """Whether the thoughts come from a file: another model may have written them."""
    return "generation" not in data.settings


def who_turns(data: StudyData) -> str:
    """Who turns back in a sentence: the model, or the thought that it reads."""
    return "the thought" if is_reader(data) else data.model


def whose(data: StudyData) -> str:
    """Whose thoughts these are, after "thoughts"."""
    return f"that {data.model} reads" if is_reader(data) else f"of {data.model}"


def reader_note(data: StudyData) -> str:
    """The warning at the head of each section; empty if the model wrote the thoughts.

    It says how often the model would have turned back itself: at how many first
    backtracks a backtrack word is its most likely token.
    """
    if not is_reader(data):
        return ""
    first = data.tables["turns"].filter(kind="backtrack", ordinal=1)
    note = (
        f"{data.model} reads these thoughts here; another model may have written them. "
        "Where they turn back or wrap up shows no decision of "
        f"{data.model}, and an answer at an exit is a reader\u2019s answer"
    )
    if first.is_empty():
        return f"{note}."
    hits = int(first["is_word"].sum())
    return (
        f"{note}: at {hits:,} of {plural(first.height, 'first backtrack')} a backtrack "
        "word is its most likely next token."
    )
