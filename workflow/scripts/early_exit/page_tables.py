"""The report's printed tables on early exit: every exit, and first arrival to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, plural, probability, real
from early_exit.page_stopping import caveat

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SHOWN_EXITS = 10  # later exits are counted below the table
EXIT_COLUMNS = (
    "exit",
    "thoughts",
    "right",
    "probability",
    "logit",
    "margin",
    "entropy (nats)",
    "tokens before",
)


def exits_sheet(data: StudyData) -> Sheet:
    """One row per exit, and the end of the thought."""
    shown = data.exits.filter(data.exits["exit"] <= SHOWN_EXITS)
    rows = [_exit_row(row) for row in shown.iter_rows(named=True)]
    thoughts = data.thoughts
    if not thoughts.is_empty():
        mean = int(thoughts["tokens"].sum()) / thoughts.height
        right = percent(int(thoughts["correct"].sum()) / thoughts.height)
        end = ("end of the thought", count(thoughts.height), right)
        rows.append((*end, *[NOTHING] * 4, real(mean, 0)))
    hidden = int(data.exits.filter(data.exits["exit"] > SHOWN_EXITS)["n"].sum())
    unanswered = int(data.exits["unanswered"].sum())
    unended = int((~data.tables["early_exit"]["ended"]).sum())
    note = [
        "Each row is a mean over all exits with its number. Rows hold different "
        "thoughts, because only thoughts with k arrivals have an exit k."
    ]
    if hidden:
        note.append(f"{plural(hidden, 'later exit')} not shown.")
    if unanswered:
        note.append(
            f"{plural(unanswered, 'exit')} gave no number, which counts as wrong; "
            f"{unended} of them had not ended within the limit of tokens, and "
            "have no probability."
        )
    return Sheet("Every exit", EXIT_COLUMNS, tuple(rows), note=" ".join(note))


def _exit_row(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        "0, before any thought" if row["exit"] == 0 else f"{row['exit']}",
        count(row["n"]),
        percent(row["right"] / row["n"]),
        probability(row["probability"]),
        real(row["logit"], 2),
        real(row["margin"], 2),
        real(row["entropy"], 3),
        real(row["tokens_before"], 0),
    )


def outcomes_sheet(data: StudyData) -> Sheet:
    """How the answers at the first arrival compare with the answers at the end."""
    rows = []
    for first, name in ((True, "right"), (False, "wrong")):
        part = data.arrived.filter(exit1_correct=first)
        right = int(part["correct"].sum())
        cells = (count(right), count(part.height - right), count(part.height))
        rows.append((f"{name} at the first arrival", *cells))
    total = data.arrived.height
    right = int(data.arrived["correct"].sum())
    rows.append(("all", count(right), count(total - right), count(total)))
    return Sheet(
        "From the first arrival to the end",
        ("answer if stopped", "ends right", "ends wrong", "thoughts"),
        tuple(rows),
        note=caveat(data),
    )


def sheets(data: StudyData) -> list[Sheet]:
    """The printed tables; an empty list without exits."""
    if data.exits.is_empty():
        return []
    every_exit = exits_sheet(data)
    if data.arrived.is_empty():
        return [every_exit]
    return [every_exit, outcomes_sheet(data)]
