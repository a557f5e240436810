"""The looks of each trace: a position, the words before it, and the tokens after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl
import torch

from doubletake.text.context_parts import context_parts
from doubletake.text.words import Word, words_around
from look_back.matching import ImportantWord, Occurrence, matched, occurrences_of
from look_back.tables import ATTENTION_BASELINES

COLUMNS = ("own", *ATTENTION_BASELINES)
"""What is summed for an important word: its own tokens, and those of its matches."""


@dataclass(frozen=True)
class Choice:
    """Which words are important, and which words match them."""

    top_words: int
    """Number of most important words."""
    next_words: int
    """Number of next words of the thought that look back."""
    distance_ratio: float
    """Largest ratio of the distances of an important word and of its match."""


@dataclass(frozen=True)
class Look:
    """One position with what is looked at from the tokens after it."""

    event: int
    kind: str
    position: int
    next_words: int
    queries: range
    """Tokens that look back; empty where no word follows."""
    words: list[ImportantWord]

    def weights(self) -> torch.Tensor:
        """How tokens add up to shares: [token up to the position, word, `COLUMNS`].

        Of a word's own tokens the sum is taken. Of its matches it is the mean of
        their sums; 0 without matches.
        """
        weights = torch.zeros(self.position + 1, len(self.words), len(COLUMNS))
        for k, word in enumerate(self.words):
            weights[word.occurrence.tokens, k, 0] = 1.0
            for column, name in enumerate(ATTENTION_BASELINES, 1):
                partners = word.partners[name]
                for partner in partners:
                    weights[partner.tokens, k, column] += 1.0 / len(partners)
        return weights


@dataclass(frozen=True)
class TraceLooks:
    """One trace with its looks, as it goes through the model."""

    trace: str
    problem: str
    ids: list[int]
    """Prompt and completion up to the last token that looks back."""
    looks: list[Look]
    """In the order of their positions."""


def traces_with_looks(
    traces: pl.DataFrame,
    tokens: pl.DataFrame,
    words: pl.DataFrame,
    prompts: pl.DataFrame,
    choice: Choice,
    longest: int,
) -> list[TraceLooks]:
    """Every trace that has a position with scored words.

    Args:
        traces: `TRACES`.
        tokens: `ATTRIBUTION_TOKENS`, one row per position; only backtracks and
            controls.
        words: `ATTRIBUTION_WORDS`.
        prompts: `ATTRIBUTION_PROMPTS`.
        choice: which words are important, and which match.
        longest: number of tokens that the model reads; later words are left out.
    """
    ranked = words.sort("trace", "event", "rank").partition_by(
        "trace", "event", as_dict=True
    )
    prompt_rows = prompts.rows_by_key("trace", named=True, unique=True)
    positions = tokens.sort("position", "event").partition_by("trace", as_dict=True)
    items = []
    for trace in traces.iter_rows(named=True):
        rows = positions.get((trace["trace"],))
        if rows is None:
            continue
        looks = []
        for row in rows.iter_rows(named=True):
            of_event = ranked.get((row["trace"], row["event"]))
            listed = [] if of_event is None else of_event.to_dicts()
            around = words_around(row["position"], trace, prompt_rows[trace["trace"]])
            before, after = around[0], islice(around[1], choice.next_words)
            following = [word for word in after if word.last_token < longest]
            looks.append(_look(row, listed, before, following, choice))
        ids = trace["prompt_ids"] + trace["completion_ids"]
        last = max(max(look.queries.stop, look.position + 1) for look in looks)
        items.append(TraceLooks(trace["trace"], trace["problem"], ids[:last], looks))
    return items


def _look(
    row: dict[str, Any],
    ranked: list[dict[str, Any]],
    before: Sequence[Word],
    following: Sequence[Word],
    choice: Choice,
) -> Look:
    """The look of a row of `ATTRIBUTION_TOKENS`."""
    position, start = row["position"], row["question_start"]
    question = None if start is None else (start, row["question_end"])
    parts = context_parts(position, row["thought_start"], question)
    occurrences = occurrences_of(
        before,
        parts,
        {word["word"]: word["follows"] for word in ranked},
        {word["word"]: word["occurrences"] for word in ranked},
    )
    # ASSUME: a word stands at its most important occurrence; the others do not count.
    by_start = {(one.word, one.tokens.start): one for one in occurrences}
    top = ranked[: choice.top_words]
    names = {word["word"] for word in top}
    candidates = [one for one in occurrences if one.word not in names]
    end = following[-1].last_token + 1 if following else position + 1
    return Look(
        row["event"],
        row["kind"],
        position,
        len(following),
        range(position + 1, end),
        [
            _important(word, by_start, candidates, position, choice.distance_ratio)
            for word in top
        ],
    )


def _important(
    word: dict[str, Any],
    by_start: dict[tuple[str, int], Occurrence],
    candidates: Sequence[Occurrence],
    position: int,
    ratio: float,
) -> ImportantWord:
    own = by_start[word["word"], word["token"]]
    return ImportantWord(word["rank"], own, matched(own, candidates, position, ratio))
