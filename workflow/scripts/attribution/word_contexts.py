"""Contexts of decisions in words: those before, ranked, and the first ones behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from attribution.places import places_of
from attribution.words import Ranked, Word, rank_words, words_of
from doubletake.text.trace_positions import thought_span


@dataclass(frozen=True)
class Context:
    """A decision with the words before it and the first ones behind."""

    row: dict[str, Any]
    """Of the token table, with the trace's columns."""
    ranked: list[Ranked]
    following: frozenset[str]
    """Names of the next words of the thought."""
    places: np.ndarray
    """Place of every token before the position."""

    @property
    def head(self) -> dict[str, Any]:
        """What names the decision in a table."""
        return {name: self.row[name] for name in ("trace", "event")}


def contexts_of(
    tokens: pl.DataFrame,
    traces: pl.DataFrame,
    prompts: pl.DataFrame,
    stop_words: frozenset[str],
    next_words: int,
) -> Iterator[Context]:
    """The decisions, in their order.

    Args:
        tokens: `schemas.ATTRIBUTION_TOKENS`, one row per decision.
        traces: `schemas.TRACES`.
        prompts: `schemas.ATTRIBUTION_PROMPTS`.
        stop_words: left out of the ranking.
        next_words: how many words behind the decision are kept.
    """
    texts = traces.select(
        "trace", "prompt_ids", "text", "offsets", "thought_start", "thought_stop"
    ).rows_by_key("trace", named=True, unique=True)
    asked = prompts.rows_by_key("trace", named=True, unique=True)
    for row in tokens.iter_rows(named=True):
        trace, prompt = texts[row["trace"]], asked[row["trace"]]
        before, behind = _words_around(row["position"], trace, prompt)
        following = frozenset(word.name for word in islice(behind, next_words))
        found = row["question_start"]
        question = None if found is None else (found, row["question_end"])
        yield Context(
            row | {"text": _text_before(row["position"], trace)},
            rank_words(before, row["max_abs"], stop_words),
            following,
            places_of(row["position"], row["thought_start"], question),
        )


def _words_around(
    position: int, trace: dict[str, Any], prompt: dict[str, Any]
) -> tuple[list[Word], Iterator[Word]]:
    """Words of question and thought whole before a position, and those behind it.

    The deciding token itself belongs to neither.
    """
    length = len(trace["prompt_ids"])
    span = thought_span(trace)
    words: list[Word] = []
    if prompt["start"] is not None:
        question = (prompt["start"], prompt["end"])
        words += words_of(prompt["text"], prompt["offsets"], question)
    thought = list(
        words_of(trace["text"], trace["offsets"], (span.start, span.end), length)
    )
    words += [word for word in thought if word.last < position]
    return words, (word for word in thought if word.first > position)


def _text_before(position: int, trace: dict[str, Any]) -> str:
    """The completion's text up to and with the deciding token."""
    place = position + 1 - len(trace["prompt_ids"])
    end = trace["offsets"][place] if place < len(trace["offsets"]) else None
    return trace["text"][:end]
