"""How often the planted cause is among the first words, against chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.mean_tests import p_of_gain, p_of_mean
from exact_attribution.claims import ALL
from exact_attribution.summary_rows import EVENT, by_event, case_columns, mean_columns
from exact_attribution.tables import ESTIMATE, EXACT_CAUSES, PUBLISHED, RANKINGS
from pocket.reading import NONE

SIZES = (1, 3)
"""How many words count as first."""


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
    contexts = events.select(*EVENT, "all_words")
    known = words.join(boundaries, on=["trace", "position"]).join(contexts, on=EVENT)
    with_cause = known.filter(pl.col("cause") != NONE)
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
    k = min(k, words)
    return 1 - comb(words - cause, k) / comb(words, k)


@dataclass(frozen=True)
class Found:
    """What a ranking says of the cause of one backtrack."""

    problem: str
    hit: bool
    is_named: bool
    """Whether a word of the cause is in the ranking; else it is a miss."""
    chance: float
    context_chance: float


def found_at(event: Sequence[dict[str, Any]], ranking: str, k: int) -> Found:
    """Whether a word of the cause is among the first k different words of a ranking.

    A word that was measured at two occurrences has the better rank of both.

    Args:
        event: rows of `EXACT_WORDS` of a backtrack, with `all_words`.
        ranking: one of `RANKINGS`.
        k: how many words count as first.
    """
    ranked = [row for row in event if ranking != PUBLISHED or row["is_ranked"]]
    ordered = sorted(ranked, key=lambda row: row[f"{ranking}_rank"])
    names = list(dict.fromkeys(row["word"] for row in ordered))
    of_cause = {row["word"] for row in event if row["is_cause"]}
    named = of_cause.intersection(names)
    every = max(event[0]["all_words"], len({row["word"] for row in event}))
    return Found(
        event[0]["problem"],
        bool(named.intersection(names[:k])),
        bool(named),
        chance_of(len(names), len(named), k),
        chance_of(every, len(of_cause), k),
    )


def _columns(
    measured: list[tuple[str, list[dict[str, Any]]]],
    ranking: str,
    k: int,
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """Hits and chance at the backtracks with more than k measured words."""
    events = [event for _, event in measured if len(event) > k]
    found = [found_at(event, ranking, k) for event in events]
    problems = [one.problem for one in found]
    hits = [float(one.hit) for one in found]
    estimated = [float(found_at(event, ESTIMATE, k).hit) for event in events]
    chances = [one.chance for one in found]
    gains = [hit - chance for hit, chance in zip(hits, chances, strict=True)]
    over = [hit - other for hit, other in zip(hits, estimated, strict=True)]
    paired = ranking != ESTIMATE
    means = mean_columns("share", hits, problems, intervals, shares=True)
    return {
        "hits": int(sum(hits)),
        "unnamed": sum(not one.is_named for one in found),
        "share": means["share"],
        "low": means["share_low"],
        "high": means["share_high"],
        "chance": float(np.mean(chances)) if found else None,
        "context_chance": (
            float(np.mean([one.context_chance for one in found])) if found else None
        ),
        **mean_columns("gain", gains, problems, intervals),
        **mean_columns(
            "over_estimate",
            over if paired else [],
            problems if paired else [],
            intervals,
        ),
        **_tests(gains, chances, over if paired else [], problems, intervals),
        **case_columns(problems),
    }


def _tests(
    gains: list[float],
    chances: list[float],
    over: list[float],
    problems: list[str],
    intervals: IntervalSettings,
) -> dict[str, float | None]:
    """P-values of the gain over chance and of the difference to the estimate."""
    chance, names = np.array(chances), np.array(problems)
    return {
        "p": p_of_gain(np.array(gains), chance * (1 - chance), names, intervals),
        "over_estimate_p": p_of_mean(np.array(over), names, intervals)
        if over
        else None,
        "p_holm": None,
        "over_estimate_p_holm": None,
    }
