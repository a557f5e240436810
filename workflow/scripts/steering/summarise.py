"""Means by strength, the band of random vectors, and the tests of the chosen direction.

Inputs
    short: continuations with the chosen direction and its controls (`SHORT`).
    thoughts: whole thoughts with the chosen direction (`STEERING`).

Outputs
    ladder: `LADDER`.
    summary: `SUMMARY`.
    trends: `TRENDS`.
    slopes: `SLOPES`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from steering.cell_means import cell_means
from steering.names import DIRECTION, NONE, RANDOM, SHORT_OUTCOMES
from steering.strength_tests import slope_rows, trend_row
from steering.tables import LADDER, SHORT, SLOPES, STEERING, SUMMARY, TRENDS
from steering.thought_means import summary_rows, with_rates

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_steering")


def ladder_of(
    short: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> pl.DataFrame:
    """`LADDER`: means of all cells; the direction beside the band of random vectors."""
    rows = cell_means(short, tolerance, intervals)
    bands = {row["strength"]: row for row in rows if row["source"] == RANDOM}
    for row in rows:
        band = bands.get(abs(row["strength"]))
        for outcome in SHORT_OUTCOMES:
            row[f"{outcome}_outside"] = None
            if row["source"] == DIRECTION and band is not None:
                _compare(row, band, outcome)
    return LADDER.frame(rows)


def _compare(row: dict[str, Any], band: dict[str, Any], outcome: str) -> None:
    """Note the band of random vectors in the row of a direction of their length."""
    low, high = (band[f"{outcome}_band_{end}"] for end in ("low", "high"))
    if low is not None:
        row |= {f"{outcome}_band_low": low, f"{outcome}_band_high": high}
        row[f"{outcome}_outside"] = not low <= row[outcome] <= high


def steered_continuations(
    outcome: str, short: pl.DataFrame, ladder: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Continuations with the direction and none, and their means by strength."""
    own = pl.col("source").is_in([DIRECTION, NONE])
    means = ladder.filter(own).select("strength", "whole", mean=outcome)
    return short.filter(own).with_columns(pl.col(outcome).cast(pl.Float64)), means


def steered_thoughts(
    thoughts: pl.DataFrame, summary: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Whole thoughts with their rate of backtracks, and its means by strength."""
    rows = with_rates(thoughts).with_columns(backtracks="rate")
    return rows, summary.select("strength", "whole", mean="backtracks")


def main(
    *,
    short_path: Path,
    thoughts_path: Path,
    ladder_path: Path,
    summary_path: Path,
    trends_path: Path,
    slopes_path: Path,
    tolerance: float,
    intervals: IntervalSettings,
) -> None:
    """Read, summarise, write."""
    short, thoughts = SHORT.read(short_path), STEERING.read(thoughts_path)
    ladder = ladder_of(short, tolerance, intervals)
    summary = SUMMARY.frame(summary_rows(thoughts, tolerance, intervals))
    tests = {
        outcome: steered_continuations(outcome, short, ladder)
        for outcome in SHORT_OUTCOMES
    } | {"backtracks": steered_thoughts(thoughts, summary)}
    trends = [trend_row(name, *tables, intervals) for name, tables in tests.items()]
    slopes = [
        row
        for outcome in SHORT_OUTCOMES
        for row in slope_rows(outcome, short, tests[outcome][1], intervals)
    ]
    LADDER.write(ladder, ladder_path)
    SUMMARY.write(summary, summary_path)
    TRENDS.write(TRENDS.frame([row for row in trends if row]), trends_path)
    SLOPES.write(SLOPES.frame(slopes), slopes_path)
    logger.info("%d strengths, %d thoughts", summary.height, thoughts.height)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            short_path=Path(snakemake.input.short),
            thoughts_path=Path(snakemake.input.thoughts),
            ladder_path=Path(snakemake.output.ladder),
            summary_path=Path(snakemake.output.summary),
            trends_path=Path(snakemake.output.trends),
            slopes_path=Path(snakemake.output.slopes),
            tolerance=snakemake.params.tolerance,
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
