"""The page's sentence on important words that occur again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import count, percent, points
from look_back.page_verdicts import compared
from look_back.tables import (
    BACKTRACK,
    CLASS,
    FREQUENCY,
    IMPORTANT,
    MATCHED_WORDS,
    PLACE,
    QUANTITIES,
    WORD_DIFFERENCE,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMES = {
    FREQUENCY: "words of like frequency at any place",
    PLACE: "words that also stand at a like place",
    CLASS: "words that are also of the same class and length",
}


def overlap_sentence(data: StudyData) -> str:
    """How many important words occur again, against each kind of matched words."""
    table = data.tables["look_back/overlap"].filter(kind=BACKTRACK)
    rows = {(row["baseline"], row["quantity"]): row for row in table.to_dicts()}
    parts = []
    for baseline, name in NAMES.items():
        found = [rows.get((baseline, quantity)) for quantity in QUANTITIES]
        if any(row is None or row["mean"] is None for row in found):
            continue
        important, matched, gap = (
            rows[baseline, quantity]
            for quantity in (IMPORTANT, MATCHED_WORDS, WORD_DIFFERENCE)
        )
        parts.append(
            f"{percent(important['mean'])} against {percent(matched['mean'])} of "
            f"{name}: {compared(data, gap, points)}"
        )
    if not parts:
        return ""
    settings = data.settings["attribution"]
    first = rows.get((FREQUENCY, IMPORTANT))
    published = None if first is None else first["published"]
    reference = "" if published is None else f" (published: {percent(published, 0)})"
    return (
        f"Share of the {count(settings['top_words'])} most important words that occur "
        f"among the next {count(settings['next_words'])} words{reference}: "
        f"{'; '.join(parts)}. Important words without a match are left out, so their "
        "share changes with the matches."
    )
