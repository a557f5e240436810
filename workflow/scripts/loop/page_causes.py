"""The page's sentences on the planted cause among the first words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.wording import count, percent, plural, points
from loop.methods import EXACT, MAX_ABS, MEAN_ABS, SAME_EVENTS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PHRASES = {
    MAX_ABS: "the estimate with its largest layer",
    MEAN_ABS: "the estimate, mean over layers",
    EXACT: "exact patching",
    SAME_EVENTS: "the estimate with its largest layer, over the words of exact "
    "patching",
}
NAMES = {"slip": "a slip", "distractor": "a distractor", "open_word": "an open word"}


def causes_sentences(data: StudyData) -> list[str]:
    """How often each ranking finds the cause, against chance and like words."""
    table = data.tables["loop/causes"]
    if table.is_empty():
        return []
    rows = table.filter(cause="all").to_dicts()
    first = [ranking_text(data, row) for row in rows]
    by_cause = [
        f"{NAMES[row['cause']]} {count(row['hits'])} of {count(row['n'])} "
        f"({percent(row['matched'], 0)} by like words)"
        for row in table.filter(ranking=MAX_ABS).to_dicts()
        if row["cause"] in NAMES
    ]
    by = f"By cause, with the largest layer: {'; '.join(by_cause)}."
    exact = [_over_estimate(data, row) for row in rows if row["ranking"] == EXACT]
    return [*first, *exact, *([by] if by_cause else [])]


def _over_estimate(data: StudyData, row: dict[str, Any]) -> str:
    """Exact patching against the estimate at the same backtracks."""
    what = f"over the same words at {plural(row['n'], 'backtrack')}"
    if row["over_estimate_low"] is None:
        why = data.why_no_interval(row["problems"])
        return f"Exact patching against the estimate {what}: {why}."
    low, high = row["over_estimate_low"], row["over_estimate_high"]
    verdict = "less often" if high < 0 else "more often"
    if low <= 0 <= high:
        verdict = "neither more nor less often that can be told"
    return (
        f"Exact patching finds the cause {verdict} than the estimate {what}: "
        f"{points(row['over_estimate'])} points ({points(low)} to {points(high)})."
    )


def ranking_text(data: StudyData, row: dict[str, Any]) -> str:
    """What a ranking finds; `row` is of `loop/causes`, all causes together."""
    ends = data.between(row, percent)
    return (
        f"Importance by {PHRASES[row['ranking']]} has the planted cause among its "
        f"first {count(row['words'])} words at {count(row['hits'])} of "
        f"{plural(row['n'], 'backtrack')}: {percent(row['share'])} ({ends}); in random "
        f"order {percent(row['chance'])}{_chance(data, row)}; like words (number or "
        f"word, and frequency) {percent(row['matched'])}{_like(row)}."
        f"{_unnamed(row)}"
    )


def _unnamed(row: dict[str, Any]) -> str:
    n = row["unnamed"]
    what = "the ranking has no word of the cause (stop words alone): counted as misses"
    return f" At {count(n)} of them {what}." if n else ""


def _chance(data: StudyData, row: dict[str, Any]) -> str:
    if row["p_holm"] is None:
        return ", not checked"
    if row["p_holm"] > 1 - data.confidence:
        return ", not told from it"
    return ", more than that" if row["gain"] > 0 else ", less than that"


def _like(row: dict[str, Any]) -> str:
    if row["beyond_low"] is None:
        return ", not checked"
    if row["beyond_low"] > 0:
        return ", more than these"
    return ", less than these" if row["beyond_high"] < 0 else ", not told from these"
