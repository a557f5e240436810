"""Mean scores by layer, and their agreement with exact patching, as tables."""

import math
from typing import Any

import polars as pl

from attribution.agreement import STATISTICS, agreement
from attribution.mean_rows import mean_rows
from attribution.tables import ATTRIBUTION_CHECKS, ATTRIBUTION_LAYERS
from doubletake.stats.intervals import IntervalSettings
from matches.reading import KEYS, by_kind

METHODS = ("gradient", "integrated")


def layers_table(
    scores: pl.DataFrame, matches: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """`ATTRIBUTION_LAYERS`: mean |score| of earlier tokens and of the position.

    Args:
        scores: `ATTRIBUTION`.
        matches: `matches.tables.MATCHES`.
        intervals: which intervals to give.
    """
    sizes = scores.select(
        *KEYS,
        "kind",
        "component",
        "layer",
        "problem",
        earlier=pl.col("scores").list.eval(pl.element().abs()).list.mean(),
        position=pl.col("position_score").abs(),
    )
    rows: list[dict[str, Any]] = []
    quantities = ("earlier", "position")
    groups = sizes.group_by(["component", "layer"], maintain_order=True)
    for (component, layer), group in groups:
        values = group.select(pl.col(quantities).cast(pl.Float64)).to_numpy()
        for kind, of_kind, problems in by_kind(values, group, matches):
            head = {"kind": kind, "component": component, "layer": layer}
            means = mean_rows(of_kind, problems, intervals)
            rows += [
                head | {"quantity": quantity} | mean
                for quantity, mean in zip(quantities, means, strict=True)
            ]
    return ATTRIBUTION_LAYERS.frame(rows)


def checks_table(cells: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`ATTRIBUTION_CHECKS`: every layer, and all layers together (null).

    Args:
        cells: `ATTRIBUTION_CELLS`.
        intervals: which intervals to give.
    """
    rows: list[dict[str, Any]] = []
    for method in METHODS:
        by = ["component", "layer", "trace", "event", "problem"]
        statistics = agreement(cells, method, by)
        all_layers = statistics.with_columns(layer=pl.lit(None, pl.Int32))
        groups = pl.concat([statistics, all_layers]).group_by(
            ["component", "layer"], maintain_order=True
        )
        for (component, layer), group in groups:
            values = group.select(
                pl.col(name).cast(pl.Float64).fill_null(math.nan) for name in STATISTICS
            ).to_numpy()
            means = mean_rows(values, group["problem"].to_numpy(), intervals)
            head = {"method": method, "component": component, "layer": layer}
            rows += [
                head | {"statistic": name} | mean
                for name, mean in zip(STATISTICS, means, strict=True)
            ]
    return ATTRIBUTION_CHECKS.frame(rows)
