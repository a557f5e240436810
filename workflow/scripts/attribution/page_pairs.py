"""The page's sentence on backtracks against their matched controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attribution.page_agreement import first_row
from doubletake.page.caveats import chosen_by_prediction
from doubletake.page.wording import listed, plural, real
from doubletake.text.context_parts import QUESTION, THOUGHT_PARTS
from matches.tables import DIFFERENCE

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

COMPARED = {
    THOUGHT_PARTS: "the last fifth of the thought so far",
    QUESTION: "the question",
}
"""Parts of the context whose importance is compared, and how they are called."""


def number_of_pairs(data: StudyData) -> int:
    """Number of pairs of a selected backtrack and its control."""
    pairs = data.tables["attribution/layers"].filter(kind=DIFFERENCE)
    return int(pairs["positions"].max() or 0)  # type: ignore[arg-type]


def pairs_sentence(data: StudyData) -> str:
    """Whether question and last words matter more before backtracks than at controls.

    A part matters more, or less, if the interval of the difference within pairs leaves
    out 0. Each part has its own interval.
    """
    name = "attribution/context_parts"
    rows = {
        part: first_row(
            data.tables[name], kind=DIFFERENCE, context_part=part, quantity="token"
        )
        for part in COMPARED
    }
    if not any(row is not None and row["positions"] for row in rows.values()):
        return (
            f"Whether {listed(list(COMPARED.values()))} matter more before backtracks "
            f"than before matched controls was not checked: {_why_no_pair(data)}."
        )
    parts = [_comparison(data, COMPARED[part], row) for part, row in rows.items()]
    return (
        "Importance per token before backtracks, compared with their matched controls: "
        f"{'; '.join(parts)}. The differences are within pairs, in units of the mean "
        f"token of the context.{chosen_by_prediction(data)}"
    )


def _why_no_pair(data: StudyData) -> str:
    if "control" not in data.settings["attribution"]["kinds"]:
        return "the config (attribution.kinds) scores no controls"
    return "no selected backtrack has a matched control with this part of the context"


def _comparison(data: StudyData, name: str, row: dict[str, Any] | None) -> str:
    """One part of the context: what its difference shows, with its cases."""
    if row is None or not row["positions"]:
        return f"{name} was not checked (no pair)"
    cases = (
        f"{plural(row['positions'], 'pair')} of {plural(row['problems'], 'problem')}"
    )
    if row["low"] is None:
        return f"{name} was not compared ({data.between(row, _two)}; {cases})"
    verdict = "is not shown to differ"
    if row["low"] > 0:
        verdict = "is more important"
    if row["high"] < 0:
        verdict = "is less important"
    return (
        f"{name} {verdict} (difference {_two(row['mean'])}, "
        f"{data.between(row, _two)}, {cases})"
    )


def _two(value: float) -> str:
    return real(value, 2)
