"""The drawn backtracks with the words of their contexts that are measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from doubletake.model.turn_metric import Decision
from doubletake.stats.draws import Name, ranked_by_digest
from doubletake.text.words import Word, words_around
from exact_attribution.settings import Settings
from exact_attribution.tables import CAUSE, RANDOM, TOP
from pocket.reading import NONE
from truth.reading import cause_words

Key = tuple[str, int]
"""Trace and event, or trace and token."""


@dataclass(frozen=True)
class MeasuredWord:
    """An occurrence of a word whose states are replaced."""

    name: str
    tokens: tuple[int, ...]
    """Indices in the trace."""
    source: str
    """`top`, `random` or `cause`."""
    is_cause: bool
    """Whether it lies in the planted cause."""
    is_ranked: bool
    """Whether the published recipe ranks the word: it is no stop word."""


@dataclass(frozen=True)
class Context:
    """A backtrack, its context and the words of it that are measured."""

    row: dict[str, Any]
    """Row of `ATTRIBUTION_TOKENS`."""
    decision: Decision
    words: list[MeasuredWord]
    context_words: int
    """Different words of the context without stop words, which the recipe ranks."""
    all_words: int
    """The same with stop words."""
    scores: np.ndarray
    """[layer, token before the position], the estimates of `ATTRIBUTION`."""

    @property
    def key(self) -> Key:
        """Trace and event."""
        return self.row["trace"], self.row["event"]

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that name the backtrack."""
        return {name: self.row[name] for name in ("trace", "problem", "event")}

    @property
    def whole(self) -> tuple[int, ...]:
        """All tokens from the question's first one to the one before the position."""
        start = self.row["question_start"]
        first = self.row["thought_start"] if start is None else start
        return tuple(range(first, self.row["position"]))


@dataclass(frozen=True)
class StudyTables:
    """What contexts are made of, by trace or event."""

    problems: pl.DataFrame
    traces: pl.DataFrame
    truth: pl.DataFrame
    prompts: pl.DataFrame
    """`ATTRIBUTION_PROMPTS`."""
    scores: pl.DataFrame
    """`ATTRIBUTION`."""
    tokens: pl.DataFrame
    """`ATTRIBUTION_TOKENS`."""
    words: pl.DataFrame
    """`ATTRIBUTION_WORDS`."""


def causes_by_boundary(truth: pl.DataFrame) -> dict[Key, dict[str, Any]]:
    """The boundaries with a planted cause, by trace and the sentence's first token.

    Args:
        truth: `truth.tables.TRUTH`.
    """
    rows = truth.filter(pl.col("cause") != NONE).drop_nulls("token")
    return {(row["trace"], row["token"]): row for row in rows.iter_rows(named=True)}


def contexts_of(
    drawn: pl.DataFrame, tables: StudyTables, settings: Settings
) -> list[Context]:
    """The contexts of drawn backtracks, in their order.

    Args:
        drawn: rows of `TURNS`.
        tables: of the study.
        settings: how many words are measured.
    """
    key = ["trace", "event"]
    here = drawn.select(key)
    questions = dict(tables.problems.select("problem", "question").iter_rows())
    by_trace = {
        name: table.join(here, on="trace", how="semi").rows_by_key(
            "trace", named=True, unique=True
        )
        for name, table in (("traces", tables.traces), ("prompts", tables.prompts))
    }
    rows = tables.tokens.join(here, on=key, how="semi").rows_by_key(
        key, named=True, unique=True
    )
    words = tables.words.join(here, on=key, how="semi").sort("rank")
    ranked = words.rows_by_key(key, named=True)
    scores = tables.scores.filter(component="resid").join(here, on=key, how="semi")
    layers = scores.sort("layer").rows_by_key(key, named=True)
    boundaries = causes_by_boundary(tables.truth)
    contexts = []
    for turn in drawn.iter_rows(named=True):
        name, position = (turn["trace"], turn["event"]), turn["position"]
        trace, prompt = (by_trace[part][turn["trace"]] for part in by_trace)
        before, _ = words_around(position, trace, prompt)
        cause = cause_words(
            before,
            boundaries.get((turn["trace"], position + 1)),
            prompt,
            questions[turn["problem"]],
            len(trace["prompt_ids"]),
        )
        ids = trace["prompt_ids"] + trace["completion_ids"]
        contexts.append(
            Context(
                row=rows[name] | dict(zip(key, name, strict=True)),
                decision=Decision(*name, ids[: position + 1], turn["predicted_id"]),
                words=measured_words(
                    name, ranked.get(name, []), before, cause, settings
                ),
                context_words=len(ranked.get(name, [])),
                all_words=len({word.name for word in before}),
                scores=np.array([row["scores"] for row in layers[name]]),
            )
        )
    return contexts


def measured_words(
    key: Key,
    ranked: Sequence[dict[str, Any]],
    before: Sequence[Word],
    cause: Sequence[Word],
    settings: Settings,
) -> list[MeasuredWord]:
    """The top words, random other words, and the words of the planted cause.

    Of the top and the random words, the most important occurrence is measured, which
    `attribution/words` names. Of the cause's words it is the one in the cause.

    Args:
        key: trace and event.
        ranked: rows of `ATTRIBUTION_WORDS`, in the order of their ranks.
        before: all occurrences of words before the position.
        cause: those in the planted cause.
        settings: how many words, and the seed.
    """
    at = {(word.name, word.first_token): word for word in before}
    in_cause = {(word.name, word.first_token) for word in cause}
    others: dict[Name, dict[str, Any]] = {
        (row["word"],): row for row in ranked[settings.top :]
    }
    draw = ranked_by_digest(others, f"{settings.seed}/{key[0]}/{key[1]}")
    chosen = [(TOP, row) for row in ranked[: settings.top]]
    chosen += [(RANDOM, others[name]) for name in draw[: settings.random]]
    names = {row["word"] for row in ranked}
    found: dict[Key, str] = {(row["word"], row["token"]): name for name, row in chosen}
    for word in cause:
        found.setdefault((word.name, word.first_token), CAUSE)
    return [
        MeasuredWord(
            word[0],
            tuple(range(word[1], at[word].last_token + 1)),
            source,
            word in in_cause,
            word[0] in names,
        )
        for word, source in found.items()
    ]
