"""The words of the planted cause before a backtrack."""

from typing import Any

import polars as pl

from doubletake.text.words import Word

NONE = "none"
QUESTION = "question"
Key = tuple[str, int]
"""Trace and event, or trace and token."""


def causes_by_boundary(truth: pl.DataFrame) -> dict[Key, dict[str, Any]]:
    """The boundaries with a planted cause, by trace and the sentence's first token.

    Args:
        truth: `truth.tables.TRUTH`.
    """
    rows = truth.filter(pl.col("cause") != NONE).drop_nulls("token")
    return {(row["trace"], row["token"]): row for row in rows.iter_rows(named=True)}


def cause_words(
    words: list[Word],
    boundary: dict[str, Any] | None,
    prompt: dict[str, Any],
    question: str,
    prompt_tokens: int,
) -> list[Word]:
    """The words that overlap the planted cause, in their order.

    Args:
        words: all occurrences of words before the position, of question and thought.
        boundary: row of `TRUTH` of this position; None without a cause.
        prompt: row of `ATTRIBUTION_PROMPTS`.
        question: text of the problem.
        prompt_tokens: number of tokens of the prompt.
    """
    if boundary is None:
        return []
    start, end = boundary["cause_start"], boundary["cause_end"]
    in_question = boundary["cause_in"] == QUESTION
    if in_question:
        if prompt["start"] is None:
            return []
        # The prompt holds the question without the spaces around it.
        shift = prompt["start"] - (len(question) - len(question.lstrip()))
        start, end = start + shift, end + shift
    return [
        word
        for word in words
        if (word.first_token < prompt_tokens) == in_question
        and start < word.end
        and word.start < end
    ]
