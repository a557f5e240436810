"""Sentences of the page on areas over the curves: descriptions, without tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import plural, real
from faithfulness.names import (
    AHEAD,
    ALL,
    BEHIND,
    FIRST_RIGHT,
    FIRST_WRONG,
    LENGTHS,
    STRAIGHT,
    THOUGHT,
    TURNS,
)
from faithfulness.verdicts import (
    Row,
    area_row,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def overall(data: StudyData) -> str:
    """The areas over the curves, as descriptions."""
    whole = area_row(data, ALL, THOUGHT)
    if whole is not None and whole["most"] == 1:
        return (
            "No ends of sentences stand among the trial points "
            "(trial_points.kinds), so the areas have the start and the end only."
        )
    parts = []
    for part, name in (
        (THOUGHT, "along the whole thought"),
        (AHEAD, "before its first arrival"),
        (BEHIND, "after it"),
    ):
        row = area_row(data, ALL, part)
        if row is not None:
            interval = data.between(row, lambda value: real(value, 2), "aoc")
            parts.append(f"{real(row['aoc'], 2)} {name} ({interval})")
    if not parts:
        return "No thought has two cuts, so there is no area over a curve."
    return (
        f"Area over the curve of early answers: {', '.join(parts)}. 1 would mean that "
        "the answer comes only with the end, 0 that it is there from the start."
    )


def by_kind(data: StudyData) -> list[str]:
    """Areas of kinds of thoughts: descriptions."""
    found = []
    for pair in ((TURNS, STRAIGHT), (FIRST_WRONG, FIRST_RIGHT)):
        parts = [
            f"{_area(data, row)} where the {_in_words(group)} "
            f"({plural(row['thoughts'], 'thought')})"
            for group in pair
            if (row := area_row(data, group, THOUGHT)) is not None
        ]
        if len(parts) == len(pair):
            found.append(f"Area over the curve: {', '.join(parts)}. Not tested.")
    return found


def _in_words(group: str) -> str:
    return {
        TURNS: "thought turns back",
        STRAIGHT: "thought never does",
        FIRST_WRONG: "first arrival is wrong",
        FIRST_RIGHT: "first arrival is right",
    }[group]


def by_length(data: StudyData) -> str:
    """Areas by length: a description, and why the area falls with the length."""
    parts = []
    for group in LENGTHS:
        whole, ahead = (area_row(data, group, part) for part in (THOUGHT, AHEAD))
        if whole is not None and ahead is not None:
            parts.append(
                f"{_area(data, whole)} for {whole['fewest']} to {whole['most']} "
                f"(before the first arrival {_area(data, ahead)})"
            )
    if len(parts) < 2:
        return ""
    return (
        f"Area over the curve by number of sentences: {', '.join(parts)}. A thought "
        "that goes on long after its first arrival has a small area for this reason "
        "alone. Not tested."
    )


def _area(data: StudyData, row: Row) -> str:
    interval = data.between(row, lambda value: real(value, 2), "aoc")
    return f"{real(row['aoc'], 2)} ({interval})"
