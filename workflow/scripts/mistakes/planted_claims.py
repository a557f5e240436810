"""The report's sentences on turning back beside the planted probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import percent, plural, points, probability
from mistakes import names

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MARGIN = 0.1
"""Largest difference from the planted probability that counts as the same."""
SLIPS = {
    names.PLANTED: "Inserted slips that the language would write there",
    names.OWN: "The model\u2019s own slips",
    names.OPPOSITE: "Results of the opposite operation at any step",
    names.RESULT: "Other wrong results, which the language never writes,",
    names.OPERAND: "Wrong copied numbers, which the language never writes,",
}
"""What is a false equation to the reader of the language."""


def planted_findings(data: StudyData) -> list[str]:
    """Whether inserted slips are noticed at the rate that the language plants."""
    table = data.tables["mistakes/planted"]
    if table.is_empty():
        return [
            "Not measured: turning back beside a planted probability; the thoughts are "
            "of no planted language."
        ]
    rows = {row["kind"]: row for row in table.filter(place=names.ALL).to_dicts()}
    return [
        _sentence(data, kind, rows[kind])
        for kind in SLIPS
        if kind in rows and rows[kind]["turned"] is not None
    ]


def planted_headline(data: StudyData) -> str:
    """Turns after slips of the language beside the planted probability."""
    table = data.tables["mistakes/planted"]
    rows = table.filter(place=names.ALL, kind=names.PLANTED).to_dicts()
    if not rows or rows[0]["turned"] is None:
        return ""
    return (
        f" After inserted slips of the language {percent(rows[0]['turned'])} turn back "
        "at the next boundary, where the language plants "
        f"{percent(rows[0]['planted'])}."
    )


def _sentence(data: StudyData, kind: str, row: dict) -> str:
    """One kind: its rate, the planted one, and whether they agree."""
    n = plural(row["draws"] - row["unreached"], "draw")
    text = (
        f"{SLIPS[kind]} make the thought turn back at the next boundary in "
        f"{percent(row['turned'])} of {n} on {plural(row['problems'], 'problem')} "
        f"(interval {data.between(row, percent, 'turned')}); the language plants "
        f"{percent(row['planted'])}"
    )
    if not data.is_enough(row["problems"]):
        return (
            f"{text}. Whether this is within {100 * MARGIN:.0f} points is not checked."
        )
    by = f"{points(row['difference'])} points"
    low, high = row["difference_low"], row["difference_high"]
    within = abs(row["difference"]) <= MARGIN
    sure = low is not None and (
        (within and low >= -MARGIN and high <= MARGIN)
        or (not within and (high < -MARGIN or low > MARGIN))
    )
    verdict = "within" if within else "not within"
    text += f": {verdict} {100 * MARGIN:.0f} points ({by})"
    text += "" if sure else ", but the interval also allows the other"
    return f"{text}{_against_base(data, kind, row)}."


def _against_base(data: StudyData, kind: str, row: dict) -> str:
    """Whether it turns back more often than without the mistake."""
    base = "with the right result" if kind == names.OWN else "unchanged"
    p = row["over_base_holm"]
    if p is None:
        return ""
    by = f"{points(row['over_base'])} points, corrected p {probability(p)}"
    if p > 1 - data.confidence:
        return f". No difference from the same thoughts {base} is shown ({by})"
    side = "more" if row["over_base"] > 0 else "less"
    return f". This is {side} often than the same thoughts {base} ({by})"
