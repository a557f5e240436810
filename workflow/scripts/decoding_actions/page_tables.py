"""The page's printed tables on decoding actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, percent, points, quoted, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

EXAMPLES = 2
"""Examples per action."""
BEFORE, AFTER = 40, 90
"""Characters of an example before and after the place where the thoughts part."""


def summary_sheet(data: StudyData) -> Sheet:
    """Cost, accuracy and verdicts by action."""
    cells = [
        (
            row["action"],
            count(row["thoughts"]),
            percent(row["total_rate"]),
            data.between(row, percent, "total_rate"),
            percent(row["accuracy"]),
            points(row["change"]),
            data.between(row, points, "change"),
            *(count(row[name]) for name in ("helped", "harmed", "unchanged", "same")),
            real(row["backtracks"], 2),
        )
        for row in data.tables["decoding_actions/summary"].to_dicts()
    ]
    return Sheet(
        "Thoughts decoded again, against the whole ones",
        (
            *("action", "thoughts", "tokens", "interval", "accuracy", "change"),
            *("interval", "helped", "harmed", "unchanged", "same", "backtracks"),
        ),
        tuple(cells),
        note="Tokens: thoughts and trial answers over those of the whole thoughts. "
        f"Same: all tokens equal. {data.interval_note}",
    )


def words_sheet(data: StudyData) -> Sheet:
    """Which words are forbidden, and what of them could not be."""
    cells = [
        (
            row["action"],
            row["keyword"],
            count(len(row["tokens"])),
            count(row["written"]),
            ", ".join(map(quoted, row["left"])),
            count(row["left_written"]),
        )
        for row in data.tables["decoding_actions/words"].to_dicts()
    ]
    return Sheet(
        "Forbidden words",
        ("action", "word", "tokens", "written", "not forbidden", "written so"),
        tuple(cells),
        words=(0, 1, 4),
        note="Written: in all thoughts of the study. A word without a token in the "
        "vocabulary that the thoughts never write needs none. Not forbidden: spellings "
        "in several tokens, the first of which begins other words, too.",
        folded=True,
    )


def example_sheet(data: StudyData) -> Sheet:
    """Places where a thought with an action parts from the whole one."""
    whole = {
        row["trace"]: row
        for row in data.tables["traces"].select("trace", "text", "offsets").to_dicts()
    }
    thoughts = data.tables["decoding_actions"]
    cells: list[tuple[str, ...]] = []
    for (action,), part in thoughts.group_by("action", maintain_order=True):
        apart = part.filter(~part["same"]).head(EXAMPLES).to_dicts()
        cells += [(str(action), *_example(row, whole[row["trace"]])) for row in apart]
    return Sheet(
        "Where thoughts part",
        ("action", "trace", "the whole thought", "with the action", "answer"),
        tuple(cells),
        words=(0, 1, 2, 3, 4),
        note="The text around the first token that differs.",
        folded=True,
    )


def _example(row: dict[str, Any], whole: dict[str, Any]) -> tuple[str, ...]:
    offsets = whole["offsets"]
    shared = row["shared"]
    place = offsets[shared] if shared < len(offsets) else len(whole["text"])
    part = slice(max(0, place - BEFORE), place + AFTER)
    verdict = "right" if row["correct"] else "wrong"
    answer = f"{row['answer'] or 'none'} ({verdict})"
    return row["trace"], quoted(whole["text"][part]), quoted(row["text"][part]), answer
