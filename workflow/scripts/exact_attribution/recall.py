"""How many of the strongest words by exact patching an estimate finds."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.mean_tests import p_of_gain
from exact_attribution.summary_rows import EVENT, by_event, case_columns, mean_columns
from exact_attribution.tables import (
    CAUSE,
    ESTIMATE,
    EXACT_RECALL,
    PUBLISHED,
    SCREEN,
    TOP,
)

SIZES = (1, 3, 5, 10)
"""How many words count as first."""


def recall_table(
    words: pl.DataFrame, events: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """`EXACT_RECALL`.

    Args:
        words: `EXACT_WORDS`.
        events: `EXACT_EVENTS`.
        intervals: which intervals to give.
    """
    known = words.join(events.select(*EVENT, "context_words"), on=EVENT)
    # The cause's own words were not drawn: they stand for no other word.
    drawn = known.filter(pl.col("source") != CAUSE)
    measured = by_event(drawn.sort(*EVENT, "exact_rank"))
    rows = []
    for ranking in (ESTIMATE, PUBLISHED, SCREEN):
        for k in SIZES:
            found: list[tuple[str, float, float, float]] = []
            for problem, event in measured:
                if ranking == SCREEN:
                    pair = screen_recall(event, k)
                else:
                    pair = ranking_recall(event, ranking, k)
                if pair is not None:
                    found.append((problem, *pair, variance_of(len(event), k)))
            rows.append({"ranking": ranking, "k": k} | _columns(found, intervals))
    return EXACT_RECALL.frame(rows)


def ranking_recall(
    event: list[dict[str, Any]], ranking: str, k: int
) -> tuple[float, float] | None:
    """Recall of an estimate's first k words, and chance; None for k words or fewer.

    Args:
        event: rows of `EXACT_WORDS` of a backtrack, the strongest word first.
        ranking: `estimate` or `published`.
        k: how many words count as first.
    """
    if len(event) <= k:
        return None
    order = sorted(range(len(event)), key=lambda row: event[row][f"{ranking}_rank"])
    return len(set(order[:k]) & set(range(k))) / k, k / len(event)


def variance_of(words: int, k: int) -> float:
    """Of the recall of k words by a random order (hypergeometric).

    Args:
        words: all words.
        k: how many words count as first.
    """
    if words <= k:
        return 0.0
    share = k / words
    return share * (1 - share) * (words - k) / (words - 1) / k


def screen_recall(event: list[dict[str, Any]], k: int) -> tuple[float, float] | None:
    """Share of the k strongest words of the whole context that the screen has chosen.

    Each random word stands for as many words as there are others for each random one.
    So the k strongest words of the context are estimated by weights. None if the screen
    has chosen all words, or the context has k words or fewer.

    Args:
        event: as in `ranking_recall`, with `context_words`.
        k: how many words count as strongest.
    """
    context = event[0]["context_words"]
    top = sum(row["source"] == TOP for row in event)
    if context <= max(top, k) or len(event) == top:
        return None
    weight = (context - top) / (len(event) - top)
    room, chosen = float(k), 0.0
    for row in event:
        is_top = row["source"] == TOP
        part = min(room, 1.0 if is_top else weight)
        chosen += part * is_top
        room -= part
    return chosen / k, top / context


def _columns(
    found: list[tuple[str, float, float, float]], intervals: IntervalSettings
) -> dict[str, Any]:
    problems = [row[0] for row in found]
    recalls, chances = [row[1] for row in found], [row[2] for row in found]
    gains = [recall - chance for recall, chance in zip(recalls, chances, strict=True)]
    columns: dict[str, Any] = mean_columns(
        "recall", recalls, problems, intervals, shares=True
    )
    columns["chance"] = sum(chances) / len(chances) if chances else None
    columns |= mean_columns("gain", gains, problems, intervals)
    p = p_of_gain(
        np.array(gains),
        np.array([row[3] for row in found]),
        np.array(problems),
        intervals,
    )
    return columns | {"p": p, "p_holm": None} | case_columns(problems)
