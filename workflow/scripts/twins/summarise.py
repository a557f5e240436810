"""Means of the twins by cause, and how often the study's own thoughts turn.

Inputs
    twins: `twins.tables.TWINS`.
    truth: `truth.tables.TRUTH`.

Outputs
    summary: `twins.tables.TWINS_SUMMARY`.
    rates: `twins.tables.TWINS_RATES`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, cluster_means
from pocket.reading import CAUSES, NONE, TURN
from truth.tables import TRUTH
from twins.tables import MANY_TURNS, TWINS, TWINS_RATES, TWINS_SUMMARY

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_twins")

VALUES = ("planted", "turn", "raw")
"""What is averaged with the cause, without it, and as their difference."""


def summarise(twins: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`TWINS_SUMMARY`: one row per cause with a drawn boundary."""
    rows = []
    for cause in CAUSES:
        drawn = twins.filter(cause=cause)
        if drawn.is_empty():
            continue
        pairs = drawn.filter(pl.col("refused").is_null())
        row: dict[str, Any] = dict.fromkeys(TWINS_SUMMARY.schema) | {
            "cause": cause,
            "drawn": drawn.height,
            "pairs": pairs.height,
            "problems": pairs["problem"].n_unique(),
            "built": pairs.height / drawn.height,
        }
        rows.append(row | (means_of(pairs, intervals) if pairs.height else {}))
    return TWINS_SUMMARY.frame(rows)


def means_of(
    pairs: pl.DataFrame, intervals: IntervalSettings
) -> dict[str, float | None]:
    """Means over measured pairs, with the interval of the effect over problems."""
    columns = pairs.select(
        "aligned",
        *(f"{name}_{side}" for name in VALUES for side in ("with", "without")),
        *(
            (pl.col(f"{name}_with") - pl.col(f"{name}_without")).alias(f"{name}_effect")
            for name in VALUES
        ),
    )
    values = columns.cast(pl.Float64).to_numpy()
    means = cluster_means(values, pairs["problem"].to_numpy(), intervals)
    by_name = dict(zip(columns.columns, means, strict=True))
    effect = by_name.pop("turn_effect")
    values_by_name = {name: mean.value for name, mean in by_name.items()}
    return values_by_name | {
        "effect": effect.value,
        "low": effect.low,
        "high": effect.high,
    }


def turn_rates(truth: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`TWINS_RATES`: one row per cause, and per number of turns without a cause."""
    groups = truth.filter(pl.col("choice").is_not_null()).with_columns(
        turns=pl.when(cause=NONE).then(pl.col("turns").clip(upper_bound=MANY_TURNS))
    )
    rows = []
    for cause in CAUSES:
        parts = groups.filter(cause=cause).partition_by("turns", as_dict=True)
        for (turns,), part in sorted(parts.items(), key=lambda item: item[0][0] or 0):
            is_turn = (part["choice"] == TURN).cast(pl.Float64).to_numpy()[:, None]
            problems = part["problem"].to_numpy()
            (rate,) = cluster_means(is_turn, problems, intervals, shares=True)
            rows.append(
                {
                    "cause": cause,
                    "turns": turns,
                    "boundaries": rate.n,
                    "problems": rate.clusters,
                    "planted": part["probability"].mean(),
                    "rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                }
            )
    return TWINS_RATES.frame(rows)


def main(
    *,
    twins_path: Path,
    truth_path: Path,
    summary_path: Path,
    rates_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    twins, truth = TWINS.read(twins_path), TRUTH.read(truth_path)
    logger.info("%d drawn boundaries, %d in all", twins.height, truth.height)
    TWINS_SUMMARY.write(summarise(twins, intervals), summary_path)
    TWINS_RATES.write(turn_rates(truth, intervals), rates_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            twins_path=Path(snakemake.input.twins),
            truth_path=Path(snakemake.input.truth),
            summary_path=Path(snakemake.output.summary),
            rates_path=Path(snakemake.output.rates),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
