"""What the tests of a row of the summary say, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.wording import percent, plural, points, real
from wrong_samples.names import (
    AFRESH,
    END,
    LAST,
    RANDOM,
    RESAMPLE,
    STEER,
    STEER_WAIT,
    VOTE,
    WAIT,
    WRAP_UP,
    WRONG,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

Row = dict[str, Any]

DONE = {
    WAIT: "a forced word",
    STEER: "steering toward turning back",
    STEER_WAIT: "steering with a forced word",
    RESAMPLE: "resampling alone",
    RANDOM: "random directions",
    VOTE: "a vote of resampled draws",
    AFRESH: "a new thought",
    END: "a forced end",
    WRAP_UP: "steering toward wrapping up",
}
"""Actions in sentences."""
OTHER = {
    "over_resample": "resampling alone",
    "over_vote": "a vote with the tokens of the dearest action",
    "over_random": "random directions of the same length",
}
LEAST_RANDOM = 40
"""Fewest random directions behind a claim."""


def verdict(data: StudyData, row: Row, name: str) -> str:
    """What a comparison says of the right answers of an action.

    Args:
        data: of the study.
        row: of the summary.
        name: of the comparison.
    """
    p = row[f"{name}_holm"]
    if p is None:
        return f"is not checked against {OTHER[name]} ({_problems(row)})"
    if name == "over_random" and row["draws"] < LEAST_RANDOM:
        return (
            f"is not checked against {OTHER[name]} ({row['draws']} draws, fewer than "
            f"{LEAST_RANDOM})"
        )
    by = _difference(data, row, name)
    if p > 1 - data.confidence:
        return f"cannot be told from {OTHER[name]} ({by})"
    side = "more often" if row[name] > 0 else "less often"
    return f"is right {side} than {OTHER[name]} ({by})"


def shows_more(data: StudyData, row: Row, name: str) -> bool:
    """Whether a test shows that an action is right more often than its control."""
    p = row[f"{name}_holm"]
    few = name == "over_random" and row["draws"] < LEAST_RANDOM
    return p is not None and not few and p <= 1 - data.confidence and row[name] > 0


def _difference(data: StudyData, row: Row, name: str) -> str:
    interval = data.between(row, points, name)
    p = row[f"{name}_holm"]
    return f"{points(row[name])} points, interval {interval}, corrected p {p:.3f}"


def _problems(row: Row) -> str:
    return plural(row["problems"], "problem")


def rate(data: StudyData, row: Row) -> str:
    """How often an action changes the verdict: mends or spoils."""
    interval = data.between(row, percent, "changed")
    return f"{percent(row['changed'])} (interval {interval})"


def tokens(data: StudyData, row: Row) -> str:
    """Tokens spent per draw, and over those of resampling."""
    text = f"{real(row['tokens'])} tokens per draw"
    if row["token_rate"] is None or row["action"] == RESAMPLE:
        return text
    interval = data.between(row, percent, "token_rate")
    return f"{text}, {percent(row['token_rate'])} of resampling, interval {interval}"


def length(data: StudyData, row: Row) -> str:
    """Whether an action saves tokens against resampling from the same place."""
    low, high = row["token_rate_low"], row["token_rate_high"]
    text = tokens(data, row)
    if high is not None and high < 1:
        return f"saves tokens ({text})"
    if low is not None and low > 1:
        return f"costs more tokens ({text})"
    if low is None:
        return f"takes {text}"
    return f"saves no tokens that can be told ({text})"


def rows_at(data: StudyData, start: str, place: str) -> dict[str, Row]:
    """Rows of the summary of one start and place, by action."""
    summary = data.tables["wrong_samples/summary"].filter(start=start, place=place)
    return {row["action"]: row for row in summary.to_dicts()}


def wrong_rows(data: StudyData) -> dict[str, Row]:
    """Rows of the wrong thoughts."""
    return rows_at(data, WRONG, LAST)
