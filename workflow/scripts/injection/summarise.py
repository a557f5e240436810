"""Means of the divergences and of the attention, and the tests of the presumption.

Inputs
    injection: `injection.tables.INJECTION`.
    attention: `injection.tables.INJECTION_ATTENTION`.
    free_runs: `injection.tables.INJECTION_FREE_RUNS`.

Outputs
    decay: `injection.tables.INJECTION_DECAY`.
    summary: `injection.tables.INJECTION_SUMMARY`.
    attended: `injection.tables.INJECTION_ATTENDED`.
    tests: `injection.tables.INJECTION_TESTS`.
    free: `injection.tables.INJECTION_FREE`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from injection import attended_means, decay
from injection.free_means import free_means
from injection.tables import (
    INJECTION,
    INJECTION_ATTENDED,
    INJECTION_ATTENTION,
    INJECTION_DECAY,
    INJECTION_FREE,
    INJECTION_FREE_RUNS,
    INJECTION_SUMMARY,
    INJECTION_TESTS,
)
from injection.verdicts import verdict_rows

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_injection")


def summarise(
    injection: pl.DataFrame, intervals: IntervalSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`INJECTION_DECAY` and `INJECTION_SUMMARY`."""
    decays, summaries = [], []
    for part in injection.partition_by(decay.SETTING, maintain_order=True):
        decays += decay.decay_rows(part, intervals)
        summaries.append(decay.summary_row(part, intervals))
    return INJECTION_DECAY.frame(decays), INJECTION_SUMMARY.frame(summaries)


def attended(
    attention: pl.DataFrame, injection: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """`INJECTION_ATTENDED`; the depths of the boundaries come from `injection`."""
    depths = dict(injection.select("boundary", "depth").unique().iter_rows())
    pairs = attended_means.paired(attention)
    rows = [
        row | {"depth": depths[row["boundary"]]}
        for part in pairs.partition_by(attended_means.SETTING, maintain_order=True)
        for row in attended_means.attended_rows(part, intervals)
    ]
    return INJECTION_ATTENDED.frame(rows)


def main(
    *,
    injection_path: Path,
    attention_path: Path,
    free_runs_path: Path,
    decay_path: Path,
    summary_path: Path,
    attended_path: Path,
    tests_path: Path,
    free_path: Path,
    tested_strength: float,
    intervals: IntervalSettings,
) -> None:
    """Read the tables, summarise, write."""
    injection = INJECTION.read(injection_path)
    attention = INJECTION_ATTENTION.read(attention_path)
    decays, summary = summarise(injection, intervals)
    tests = INJECTION_TESTS.frame(
        verdict_rows(injection, attention, tested_strength, intervals)
    )
    logger.info("verdicts: %s", dict(tests["verdict"].value_counts().iter_rows()))
    INJECTION_DECAY.write(decays, decay_path)
    INJECTION_SUMMARY.write(summary, summary_path)
    table = attended(attention, injection, intervals)
    INJECTION_ATTENDED.write(table, attended_path)
    INJECTION_TESTS.write(tests, tests_path)
    runs = INJECTION_FREE_RUNS.read(free_runs_path)
    INJECTION_FREE.write(free_means(runs, intervals), free_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            injection_path=Path(snakemake.input.injection),
            attention_path=Path(snakemake.input.attention),
            free_runs_path=Path(snakemake.input.free_runs),
            decay_path=Path(snakemake.output.decay),
            summary_path=Path(snakemake.output.summary),
            attended_path=Path(snakemake.output.attended),
            tests_path=Path(snakemake.output.tests),
            free_path=Path(snakemake.output.free),
            tested_strength=snakemake.params.tested_strength,
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
