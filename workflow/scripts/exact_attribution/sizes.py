"""Sizes of the exact changes against the metric's own size."""

from typing import Any

import polars as pl

from doubletake.stats.intervals import IntervalSettings
from exact_attribution.summary_rows import (
    EVENT,
    case_columns,
    mean_columns,
    ratio_columns,
)
from exact_attribution.tables import EXACT_SIZES, RANDOM

RANKS = {"first": 1, "third": 3}


def sizes_table(
    words: pl.DataFrame,
    events: pl.DataFrame,
    tokens: pl.DataFrame,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`EXACT_SIZES`.

    Args:
        words: `EXACT_WORDS`.
        events: `EXACT_EVENTS`.
        tokens: `ATTRIBUTION_TOKENS`, for the spread of the metric.
        intervals: which intervals to give.
    """
    spread: Any = tokens["metric_value"].std()
    whole = events.drop_nulls("whole").sort(*EVENT)
    random = words.filter(source=RANDOM).sort(*EVENT, "exact_rank")
    parts = {
        name: words.filter(exact_rank=rank).select(
            *EVENT, size=pl.col("exact").abs(), negative=pl.col("exact") < 0
        )
        for name, rank in RANKS.items()
    }
    parts["random"] = random.group_by(EVENT, maintain_order=True).agg(
        size=pl.col("exact").abs().mean(), negative=(pl.col("exact") < 0).mean()
    )
    parts["whole"] = whole.select(
        *EVENT, size=pl.col("whole").abs(), negative=pl.col("whole") < 0
    )
    wholes = whole.select(*EVENT, whole=pl.col("whole").abs())
    rows = []
    for name, part in parts.items():
        both = part.join(wholes, on=EVENT).sort(EVENT)
        sizes, problems = both["size"].to_list(), both["problem"].to_list()
        negative = both["negative"].cast(pl.Float64).to_list()
        row: dict[str, Any] = {"quantity": name}
        row |= mean_columns("size", sizes, problems, intervals)
        row |= ratio_columns(
            "of_whole", sizes, both["whole"].to_list(), problems, intervals
        )
        varies = bool(spread) and row["size"] is not None
        row["of_spread"] = row["size"] / spread if varies else None
        row |= mean_columns("negative", negative, problems, intervals, shares=True)
        rows.append(row | case_columns(problems))
    return EXACT_SIZES.frame(rows)
