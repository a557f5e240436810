"""Which changes a test shows, in words: of the arrivals, and of the planted causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.wording import listed, plural, points, probability
from repair.group_means import least_changed

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

BETTER, WORSE, NOT_SHOWN, UNTESTED = "better", "worse", "not shown", "untested"


def verdict_of(data: StudyData, row: dict[str, Any], name: str) -> str:
    """What the corrected p-value of a change says.

    Args:
        data: of the study.
        row: of `GAINS` or `BY_CAUSE`.
        name: column of the change.
    """
    if row["p_holm"] is None:
        return UNTESTED
    if row["p_holm"] > 1 - data.confidence:
        return NOT_SHOWN
    return BETTER if row[name] > 0 else WORSE


def by_verdict(
    data: StudyData, rows: list[dict[str, Any]], name: str
) -> dict[str, list[dict[str, Any]]]:
    """The rows of each verdict, in their order; verdicts without a row are empty."""
    found: dict[str, list[dict[str, Any]]] = {
        verdict: [] for verdict in (BETTER, WORSE, NOT_SHOWN, UNTESTED)
    }
    for row in rows:
        found[verdict_of(data, row, name)].append(row)
    return found


def with_test(data: StudyData, row: dict[str, Any], name: str, noun: str) -> str:
    """A change with its interval, p-value and cases, for parentheses.

    Args:
        data: of the study.
        row: of `GAINS` or `BY_CAUSE`, with an interval.
        name: column of the change.
        noun: what a case is.
    """
    return (
        f"{points(row[name])} points, {data.confidence:.0%} interval "
        f"{data.between(row, points, name)}, corrected "
        f"p\u00a0=\u00a0{probability(row['p_holm'])}, {plural(row['n'], noun)} on "
        f"{plural(row['problems'], 'problem')}"
    )


def why_untested(data: StudyData) -> str:
    """Why a change is not tested, for parentheses."""
    least = data.settings["intervals"]["least_problems"]
    return (
        f"fewer than {plural(least, 'problem')}, or fewer than "
        f"{least_changed(data.confidence)} on which the answer changes"
    )


def arrivals_in_words(rows: list[dict[str, Any]]) -> str:
    """The arrivals of rows of `GAINS`: "arrival 1", "arrivals 2 and 4", "3 to 11"."""
    numbers = [row["arrival"] for row in rows]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"arrivals {numbers[0]} to {numbers[-1]}"
    noun = "arrival" if len(numbers) == 1 else "arrivals"
    return f"{noun} {listed([f'{number}' for number in numbers])}"
