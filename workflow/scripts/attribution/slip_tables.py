"""Ranks the wrong number of a false equation among the words before a backtrack."""

import numpy as np
import polars as pl

from attribution.decision_contexts import DecisionContext
from attribution.tables import ATTRIBUTION_SLIP_RANKS, ATTRIBUTION_SLIPS
from attribution.word_ranking import RankedWord
from doubletake.stats.intervals import IntervalSettings, cluster_means, number
from doubletake.text.equations import Slip, first_slip

TOP_KS = (1, 3, 10)
"""Numbers of most important words among which the wrong number is looked for."""


def slips_table(contexts: list[DecisionContext]) -> pl.DataFrame:
    """`ATTRIBUTION_SLIPS`: backtracks after a false equation."""
    rows = []
    for context in contexts:
        # ASSUME: the first false equation of the thought is the one that matters.
        slip = first_slip(context.row["text"])
        if context.row["kind"] != "backtrack" or slip is None:
            continue
        rank = _rank_of(slip, context.ranked_words)
        if rank is not None:
            rows.append(
                context.key_columns
                | {
                    "problem": context.row["problem"],
                    "equation": slip.equation,
                    "wrong": slip.wrong,
                    "right": slip.right,
                    "rank": rank,
                    "words": len(context.ranked_words),
                }
            )
    return ATTRIBUTION_SLIPS.frame(rows)


def _rank_of(slip: Slip, ranked_words: list[RankedWord]) -> int | None:
    names = [item.word.name for item in ranked_words]
    return names.index(slip.wrong) + 1 if slip.wrong in names else None


def slip_ranks_table(slips: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`ATTRIBUTION_SLIP_RANKS`.

    Args:
        slips: `ATTRIBUTION_SLIPS`.
        intervals: which intervals to give.
    """
    rows = []
    flags = np.stack([slips["rank"].to_numpy() <= k for k in TOP_KS], axis=1)
    problems = slips["problem"].to_numpy()
    means = cluster_means(flags.astype(float), problems, intervals, shares=True)
    for top_k, mean in zip(TOP_KS, means, strict=True):
        chance = (pl.lit(top_k) / pl.col("words")).clip(upper_bound=1).mean()
        rows.append(
            {
                "top_k": top_k,
                "hits": int((slips["rank"] <= top_k).sum()),
                "positions": mean.n,
                "problems": mean.clusters,
                "share": number(mean.value),
                "low": mean.low,
                "high": mean.high,
                "chance": slips.select(chance).item(),
            }
        )
    return ATTRIBUTION_SLIP_RANKS.frame(rows)
