"""What the page says about confidence: at each exit, its calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.study_data import mean_of
from doubletake.page.wording import listed, plural, probability
from early_exit.calibration import (
    PART_NAMES,
    confidences,
    expected_calibration_error,
)
from early_exit.tables import CALIBRATION_PARTS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

ORDINALS = ("first", "second", "third", "fourth", "fifth")


def probability_at(data: StudyData, number: int) -> tuple[float | None, int]:
    """Mean probability of the whole answer at an exit, and its number of answers.

    Answers that have not ended have no probability.
    """
    values = confidences(data.tables["early_exit"].filter(exit=number)).drop_nulls()
    return mean_of(values), values.len()


def probabilities(data: StudyData) -> str:
    """Mean probability before any thought and at each of the first arrivals."""
    parts = []
    for number in range(len(ORDINALS) + 1):
        mean, n = probability_at(data, number)
        if mean is not None:
            arrival = f"at the {ORDINALS[number - 1]} arrival"
            when = arrival if number else "before any thought"
            parts.append(f"{probability(mean)} {when} (n\u00a0=\u00a0{n:,})")
    if not parts:
        return ""
    return (
        f"Mean probability of the whole answer: {listed(parts)}. These are not the "
        "same thoughts, so the list shows no trend."
    )


def right_against_wrong(data: StudyData) -> str:
    """Mean probability at the first arrival, of right and of wrong answers."""
    first = data.tables["early_exit"].filter(exit=1)
    parts = []
    for right, name in ((True, "right"), (False, "wrong")):
        values = confidences(first.filter(correct=right)).drop_nulls()
        if values.len():
            parts.append(
                f"{probability(mean_of(values))} where the answer is {name} "
                f"(n\u00a0=\u00a0{values.len():,})"
            )
    if len(parts) < 2:
        return ""
    return f"At the first arrival the probability of the answer is {listed(parts)}."


def calibration_cases(data: StudyData) -> str:
    """Exits behind the calibration figure, and the error of each part."""
    bins = data.tables["early_exit/calibration"]
    if bins.is_empty():
        return "No exit has an answer."
    parts = []
    for part in CALIBRATION_PARTS:
        rows = bins.filter(part=part)
        if rows.height:
            error = expected_calibration_error(rows)
            parts.append(
                f"{PART_NAMES[part]}: {plural(int(rows['exits'].sum()), 'exit')} with "
                f"an answer in {plural(rows.height, 'bin')} of equal counts, expected "
                f"calibration error {error:.3f}"
            )
    left_out = unended_note(data, "left out, because their probability is not known")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}.{left_out} {data.interval_note}"


def unended_note(data: StudyData, what: str) -> str:
    """What is done with answers that reached the limit; empty if there are none."""
    ended = data.tables["early_exit"]["ended"]
    unended = int((~ended).sum())
    if not unended:
        return ""
    return (
        f" {plural(unended, 'answer')} of {len(ended):,} did not end within the limit "
        f"of tokens: {what}."
    )
