"""What the tests of a row of the summary say, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.wording import percent, plural, points, probability
from mistakes import names

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

Row = dict[str, Any]

DONE = {
    names.RESULT: "a wrong result",
    names.OPPOSITE: "the result of the opposite operation",
    names.OPERAND: "a wrong copied number",
    names.ANSWER: "a wrong final answer",
    names.UNIT: "a wrong unit",
    names.OWN: "the model\u2019s own slip",
}
"""Mistakes in sentences."""
RIGHT = {
    **dict.fromkeys((*names.EQUATIONS, names.OWN), "the right equation"),
    names.ANSWER: "the right number",
    names.UNIT: "the number with its right unit",
}
"""What would be stated again."""
OTHER = {
    "turned_over_paraphrase": "the paraphrase",
    "turned_over_filler": "the neutral sentence",
}


def tested_rows(data: StudyData) -> list[Row]:
    """Rows of the kinds at the places where they are tested."""
    rows = data.tables["mistakes/summary"].to_dicts()
    places: dict[str, dict[str, int]] = {}
    for row in rows:
        places.setdefault(row["kind"], {})[row["place"]] = row["problems"]
    return [
        row
        for row in rows
        if names.place_of_test(row["kind"], places[row["kind"]]) == row["place"]
    ]


def is_shown(data: StudyData, row: Row, name: str) -> bool:
    """Whether a test shows a difference."""
    p = row[f"{name}_holm"]
    return p is not None and p <= 1 - data.confidence and row[name] != 0


def verdict(data: StudyData, row: Row, name: str) -> str:
    """What a comparison of the shares that turn back says.

    Args:
        data: of the study.
        row: of the summary.
        name: of the comparison.
    """
    other = base_of(row) if name == "turned_over_base" else OTHER[name]
    if row[f"{name}_holm"] is None:
        return f"not checked against {other}"
    by = difference(data, row, name)
    if not is_shown(data, row, name):
        return f"not shown to differ from {other} ({by})"
    side = "more" if row[name] > 0 else "less"
    return f"{side} often than after {other} ({by})"


def base_of(row: Row) -> str:
    """What a mistake is compared with."""
    if row["kind"] == names.OWN:
        return "the same thought with the right result"
    return "the unchanged thought"


def restating(data: StudyData, row: Row) -> str:
    """How often the right statement comes again, beside the baseline."""
    name = "restated_over_base"
    text = (
        f"{rate(data, row, 'restated')} of the draws state {RIGHT[row['kind']]} again, "
        f"after {base_of(row)} {percent(row['restated_base'])}"
    )
    if row[f"{name}_holm"] is None:
        return f"{text}: the difference is not checked"
    by = difference(data, row, name)
    if not is_shown(data, row, name):
        return f"{text}: no difference is shown ({by})"
    return f"{text}: {'more' if row[name] > 0 else 'less'} often ({by})"


def difference(data: StudyData, row: Row, name: str) -> str:
    """A difference with its interval and its corrected p-value."""
    interval = data.between(row, points, name)
    p = row[f"{name}_holm"]
    by = f"{points(row[name])} points, interval {interval}"
    return f"{by}, corrected p {probability(p)}"


def cost(data: StudyData, row: Row) -> str:
    """What a mistake costs in accuracy."""
    name = "accuracy_over_base"
    text = f"{percent(row['accuracy'])} of the final answers are right"
    if row[f"{name}_holm"] is None:
        return f"{text}; the loss is not checked"
    by = difference(data, row, name)
    if not is_shown(data, row, name):
        return f"{text}; no change is shown ({by})"
    return f"{text}, {'fewer' if row[name] < 0 else 'more'} than without it ({by})"


def rate(data: StudyData, row: Row, name: str) -> str:
    """A share with its interval."""
    return f"{percent(row[name])} (interval {data.between(row, percent, name)})"


def cases(row: Row) -> str:
    """Thoughts and draws of a row."""
    return f"{plural(row['thoughts'], 'thought')}, {plural(row['draws'], 'draw')}"
