"""How many important words occur again after the turn, against matched words."""

import math
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.matched_words import matched_share
from look_back.attention_means import CLAIMED, EVENT, word_means
from look_back.means import means_by_kind
from look_back.tables import (
    BACKTRACK,
    CLASS,
    IMPORTANT,
    LOOK_BACK_OVERLAP,
    OVERLAP_BASELINES,
    PLACE,
    WORD_DIFFERENCE,
)


def overlap_table(
    looks: pl.DataFrame,
    words: pl.DataFrame,
    ranked: pl.DataFrame,
    matches: pl.DataFrame,
    published: float | None,
    top: int,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`LOOK_BACK_OVERLAP`.

    Args:
        looks: `LOOK_BACK`.
        words: `LOOK_BACK_WORDS`.
        ranked: `ATTRIBUTION_WORDS`.
        matches: `MATCHES`.
        published: the published share of important words, of backtracks.
        top: number of most important words.
        intervals: over problems.
    """
    positions = looks.filter(pl.col("next_words") > 0)
    columns = [("follows", f"{b}_follows", f"{b}_partners") for b in (PLACE, CLASS)]
    frequency = by_frequency(positions, ranked, top)
    pairs = np.concatenate(
        [frequency[:, None], word_means(positions, words, columns)], axis=1
    )
    rows: list[dict[str, Any]] = []
    for kind, group, quantity, mean, p in means_by_kind(
        pairs, positions, matches, intervals
    ):
        baseline = OVERLAP_BASELINES[group]
        tested = quantity == WORD_DIFFERENCE and kind in CLAIMED
        # The published share is of all important words, with a match or without.
        comparable = (kind, group, quantity) == (BACKTRACK, 0, IMPORTANT)
        rows.append(
            {"kind": kind, "baseline": baseline, "quantity": quantity}
            | mean
            | {"p": p if tested else math.nan}
            | {"published": published if comparable else None}
        )
    corrected = holm_of(np.array([row["p"] for row in rows], dtype=float))
    for row, p in zip(rows, corrected, strict=True):
        row["p"] = None if np.isnan(p) else float(p)
    return LOOK_BACK_OVERLAP.frame(rows)


def by_frequency(positions: pl.DataFrame, ranked: pl.DataFrame, top: int) -> np.ndarray:
    """Shares of the important words, and of words of their frequency, that follow.

    It is what attribution/overlap holds: no place is matched.

    Returns:
        [position, 2]; NaN for a position without words to compare with.
    """
    by_event = ranked.sort(*EVENT, "rank").partition_by(EVENT, as_dict=True)
    result = np.full((positions.height, 2), np.nan)
    for k, event in enumerate(positions.select(EVENT).iter_rows()):
        rows = by_event.get(event)
        if rows is None:
            continue
        flags, counts = rows["follows"].to_list(), rows["occurrences"].to_list()
        matched = matched_share(flags, counts, top)
        if matched is not None:
            result[k] = sum(flags[:top]) / len(flags[:top]), matched
    return result
