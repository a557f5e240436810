"""How often the planted cause is among the first words, against chance."""

from math import comb
from typing import Any

import polars as pl

from doubletake.stats.intervals import IntervalSettings
from exact_attribution.summary_rows import EVENT, by_event, case_columns, mean_columns
from exact_attribution.tables import ESTIMATE, EXACT_CAUSES, RANKINGS

SIZES = (1, 3)
"""How many words count as first."""
ALL = "all"


def causes_table(
    words: pl.DataFrame,
    events: pl.DataFrame,
    truth: pl.DataFrame,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`EXACT_CAUSES`; empty where no measured backtrack has a planted cause.

    Args:
        words: `EXACT_WORDS`.
        events: `EXACT_EVENTS`.
        truth: `truth.tables.TRUTH`.
        intervals: which intervals to give.
    """
    boundaries = truth.drop_nulls("token").select(
        "trace", "cause", position=pl.col("token") - 1
    )
    contexts = events.select(*EVENT, "context_words")
    known = words.join(boundaries, on=["trace", "position"]).join(contexts, on=EVENT)
    with_cause = known.filter(pl.col("is_cause").any().over(EVENT))
    rows = []
    for cause in (*with_cause["cause"].unique().sort(), ALL):
        of_cause = with_cause if cause == ALL else with_cause.filter(cause=cause)
        measured = by_event(of_cause.sort(*EVENT, "exact_rank"))
        for ranking in RANKINGS:
            for k in SIZES:
                row = {"cause": cause, "ranking": ranking, "k": k}
                rows.append(row | _columns(measured, ranking, k, intervals))
    return EXACT_CAUSES.frame(rows if with_cause.height else [])


def chance_of(words: int, cause: int, k: int) -> float:
    """Chance that one of the cause's words is among the first k in random order.

    Args:
        words: all words.
        cause: those of the cause.
        k: how many words count as first.
    """
    return 1 - comb(words - cause, k) / comb(words, k)


def _columns(
    measured: list[tuple[str, list[dict[str, Any]]]],
    ranking: str,
    k: int,
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """Hits and chance at the backtracks with more than k measured words."""
    hits: list[float] = []
    chances: list[float] = []
    in_context: list[float] = []
    differences: list[float] = []
    problems: list[str] = []
    for problem, event in measured:
        if len(event) <= k:
            continue
        ranks = [row[f"{ranking}_rank"] for row in event if row["is_cause"]]
        estimated = min(row["estimate_rank"] for row in event if row["is_cause"])
        hits.append(float(min(ranks) <= k))
        differences.append(hits[-1] - float(estimated <= k))
        chances.append(chance_of(len(event), len(ranks), k))
        context = max(event[0]["context_words"], len(event))
        in_context.append(chance_of(context, len(ranks), k))
        problems.append(problem)
    means = mean_columns("share", hits, problems, intervals, shares=True)
    gains = [hit - chance for hit, chance in zip(hits, chances, strict=True)]
    return {
        "hits": int(sum(hits)),
        "share": means["share"],
        "low": means["share_low"],
        "high": means["share_high"],
        "chance": sum(chances) / len(chances) if chances else None,
        "context_chance": sum(in_context) / len(in_context) if chances else None,
        **mean_columns("gain", gains, problems, intervals),
        **mean_columns(
            "over_estimate",
            [] if ranking == ESTIMATE else differences,
            [] if ranking == ESTIMATE else problems,
            intervals,
        ),
        **case_columns(problems),
    }
