"""Words, parts and overlap of the contexts of all positions, as tables."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from attribution.decision_contexts import DecisionContext
from attribution.mean_rows import mean_rows
from attribution.tables import (
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_OVERLAP,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.matched_words import matched_share
from doubletake.text.context_parts import OUTSIDE, THOUGHT_PARTS
from matches.reading import by_kind

CONTEXT_PARTS = range(THOUGHT_PARTS + 1)
QUANTITIES = ("token", "peak", "share")


@dataclass(frozen=True)
class Published:
    """Published numbers; all are None for another model or dataset."""

    overlap: float | None = None
    """Share of the important words that occur again."""
    context_parts: tuple[float | None, ...] = (None,) * len(CONTEXT_PARTS)
    """Importance of the question and of each part of the thought."""

    @classmethod
    def of(cls, reference: dict[str, Any], model: str, dataset: str) -> "Published":
        """The numbers of a reference, if they are about this model and dataset."""
        if (reference["model"], reference["dataset"]) != (model, dataset):
            return cls()
        parts = reference["context_parts"]
        return cls(
            reference["overlap"]["value"], (parts["question"], *parts["thought"])
        )


def words_table(contexts: list[DecisionContext]) -> pl.DataFrame:
    """`ATTRIBUTION_WORDS`: the words of every context by importance."""
    rows = [
        context.key_columns
        | {
            "kind": context.row["kind"],
            "rank": rank,
            "word": item.word.name,
            "context_part": int(context.parts[item.token]),
            "token": item.word.first_token,
            "occurrences": item.occurrences,
            "max_abs": item.importance,
            "mean_abs": context.row["mean_abs"][item.token],
            "signed_max": context.row["signed_max"][item.token],
            "follows": item.word.name in context.next_words,
        }
        for context in contexts
        for rank, item in enumerate(context.ranked_words, 1)
    ]
    return ATTRIBUTION_WORDS.frame(rows)


def overlap_of(context: DecisionContext, top: int) -> list[float]:
    """Shares of the top words and of matched words that follow, and their difference.

    NaN where the thought has no next words, or the context has no words to match.
    """
    names = [item.word.name for item in context.ranked_words]
    flags = [name in context.next_words for name in names]
    counts = [item.occurrences for item in context.ranked_words]
    matched = matched_share(flags, counts, top) if names else None
    if matched is None or not context.next_words:
        return [math.nan] * 3
    important = sum(flags[:top]) / len(flags[:top])
    return [important, matched, important - matched]


def importance_by_part(context: DecisionContext) -> np.ndarray:
    """`QUANTITIES` of every part: `[quantity, part]`; NaN for a part without tokens.

    Everything is relative to the whole of question and thought.
    """
    importance = np.asarray(context.row["max_abs"])
    result = np.full((len(QUANTITIES), len(CONTEXT_PARTS)), np.nan)
    # ASSUME: the prompt's markers, which hold the attention sink, are left out.
    whole = importance[context.parts != OUTSIDE]
    if not whole.sum():
        return result
    for part in CONTEXT_PARTS:
        inside = importance[context.parts == part]
        if len(inside):
            result[:, part] = (
                inside.mean() / whole.mean(),
                inside.max() / whole.max(),
                inside.sum() / whole.sum(),
            )
    return result


def context_parts_table(
    contexts: list[DecisionContext],
    matches: pl.DataFrame,
    published: Published,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`ATTRIBUTION_CONTEXT_PARTS`; the published values are peaks at all backtracks.

    Args:
        contexts: contexts of the positions.
        matches: `matches.tables.MATCHES`.
        published: numbers to stand beside ours.
        intervals: which intervals to give.
    """
    rows: list[dict[str, Any]] = []
    shape = (len(contexts), len(QUANTITIES), len(CONTEXT_PARTS))
    importance = np.array([importance_by_part(context) for context in contexts])
    positions = _positions(contexts)
    for number, quantity in enumerate(QUANTITIES):
        values = importance.reshape(shape)[:, number]
        for kind, of_kind, problems in by_kind(values, positions, matches):
            means = mean_rows(of_kind, problems, intervals)
            comparable = quantity == "peak" and kind == "backtrack"
            rows += [
                {"kind": kind, "context_part": part, "quantity": quantity}
                | mean
                | {"published": published.context_parts[part] if comparable else None}
                for part, mean in enumerate(means)
            ]
    return ATTRIBUTION_CONTEXT_PARTS.frame(rows)


def overlap_table(
    contexts: list[DecisionContext],
    matches: pl.DataFrame,
    published: Published,
    top: int,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`ATTRIBUTION_OVERLAP`.

    Args:
        contexts: contexts of the positions.
        matches: `matches.tables.MATCHES`.
        published: numbers to stand beside ours.
        top: how many words of a context are important.
        intervals: which intervals to give.
    """
    rows: list[dict[str, Any]] = []
    names = ("important", "matched", "difference")
    values = np.array([overlap_of(context, top) for context in contexts])
    values = values.reshape(len(contexts), len(names))
    for kind, of_kind, problems in by_kind(values, _positions(contexts), matches):
        means = mean_rows(of_kind, problems, intervals)
        for name, mean in zip(names, means, strict=True):
            comparable = name == "important" and kind == "backtrack"
            reference = published.overlap if comparable else None
            rows.append({"kind": kind, "words": name} | mean | {"published": reference})
    return ATTRIBUTION_OVERLAP.frame(rows)


def _positions(contexts: list[DecisionContext]) -> pl.DataFrame:
    """The positions of the contexts, with the columns that `by_kind` reads."""
    names = ("trace", "event", "kind", "problem")
    schema = {name: ATTRIBUTION_TOKENS.schema[name] for name in names}
    rows = [[context.row[name] for name in names] for context in contexts]
    return pl.DataFrame(rows, schema=schema, orient="row")
