"""Column definitions used by several attribution tables."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column

METRIC_UNIT = "nats or logits"
DECISION_KEY = (
    Column("trace", TEXT, "id of the trace"),
    Column("event", COUNT, "the event within the trace", unit="index"),
)
DECISION = (
    Column("problem", TEXT, "id of the problem"),
    Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`"),
    Column(
        "position",
        COUNT,
        "the token that predicts the sentence's first token",
        unit="token index",
    ),
    Column("metric_value", REAL, "the metric in the clean run", unit=METRIC_UNIT),
)
COMPONENT = Column("component", TEXT, "`resid`, `attn_out` or `mlp_out`")
LAYER = Column("layer", COUNT, "0, 1, ...", unit="index")
KIND = Column("kind", TEXT, "`backtrack`, `control` or `wrap_up`")
SUMMARY_KIND = Column(
    "kind",
    TEXT,
    "`backtrack`, `control`, `wrap_up`: all selected ones; `matched`: the selected "
    "backtracks whose matched control is here too; `difference`: within these pairs, "
    "backtrack minus control. `positions` then counts pairs, and `problems` those "
    "of the side (backtracks or controls) that has fewer",
)
PUBLISHED = Column(
    "published",
    REAL,
    "published value; null: there is none, or it is of another model or dataset",
    nullable=True,
    unit="that of `mean`",
)


def score(name: str, meaning: str, nullable: bool = False) -> Column:
    """One number in the unit of the metric."""
    return Column(name, REAL, meaning, nullable, METRIC_UNIT)


def token_scores(name: str, meaning: str) -> Column:
    """One number per token before the position, in the unit of the metric."""
    return Column(name, pl.List(pl.Float32), meaning, unit=METRIC_UNIT)


def mean_columns(unit: str) -> tuple[Column, ...]:
    """A mean over positions with its interval and its numbers of cases.

    Args:
        unit: of the mean.
    """
    return (
        Column("mean", REAL, "mean over the positions", nullable=True, unit=unit),
        Column(
            "low",
            REAL,
            LOW,
            nullable=True,
            unit=unit,
        ),
        Column("high", REAL, HIGH, nullable=True, unit=unit),
        Column("positions", COUNT, "positions behind the mean", unit="positions"),
        Column("problems", COUNT, "problems of these positions", unit="problems"),
    )
