"""For each position: words before it by importance, and the words after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from attribution.word_ranking import RankedWord, rank_words
from doubletake.text.context_parts import context_parts
from doubletake.text.words import words_around


@dataclass(frozen=True)
class DecisionContext:
    """A position with the words before it and the next words after it."""

    row: dict[str, Any]
    """Row of the token table, with the column `text`: the completion's text so far."""
    ranked_words: list[RankedWord]
    """Words of question and thought before the position, the most important first."""
    next_words: frozenset[str]
    """Names of the next words of the thought."""
    parts: np.ndarray
    """Part of the context of every token before the position."""

    @property
    def key_columns(self) -> dict[str, Any]:
        """The columns that name the position in a table."""
        return {name: self.row[name] for name in ("trace", "event")}


def decision_contexts(
    tokens: pl.DataFrame,
    traces: pl.DataFrame,
    prompts: pl.DataFrame,
    stop_words: frozenset[str],
    next_words: int,
) -> Iterator[DecisionContext]:
    """The contexts of the positions, in the order of `tokens`.

    Args:
        tokens: `ATTRIBUTION_TOKENS`, one row per position.
        traces: `TRACES`.
        prompts: `ATTRIBUTION_PROMPTS`.
        stop_words: words that are left out of the ranking.
        next_words: how many words after the position are kept.
    """
    trace_rows = traces.select(
        "trace", "prompt_ids", "text", "offsets", "thought_start", "thought_stop"
    ).rows_by_key("trace", named=True, unique=True)
    prompt_rows = prompts.rows_by_key("trace", named=True, unique=True)
    for row in tokens.iter_rows(named=True):
        trace, prompt = trace_rows[row["trace"]], prompt_rows[row["trace"]]
        before, after = words_around(row["position"], trace, prompt)
        start = row["question_start"]
        question = None if start is None else (start, row["question_end"])
        yield DecisionContext(
            row | {"text": _text_before(row["position"], trace)},
            rank_words(before, row["max_abs"], stop_words),
            frozenset(word.name for word in islice(after, next_words)),
            context_parts(row["position"], row["thought_start"], question),
        )


def _text_before(position: int, trace: dict[str, Any]) -> str:
    """The completion's text up to the token at the position, this token included."""
    next_token = position + 1 - len(trace["prompt_ids"])
    offsets = trace["offsets"]
    end = offsets[next_token] if next_token < len(offsets) else None
    return trace["text"][:end]
