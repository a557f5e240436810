"""How sure and how right are the forced answers, by exit and number of backtracks?

Inputs
    exits: forced answers (`EARLY_EXIT`).
    traces: problem and final correctness of each trace.
    events: number of backtracks of each trace.
    published: reference numbers, added if model and dataset are the same.

Outputs
    summary: one row per group and exit (`EARLY_EXIT_SUMMARY`).
    calibration: one row per bin of confidence (`EARLY_EXIT_CALIBRATION`).
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.calibration import equal_count_bins
from doubletake.stats.intervals import (
    Resampling,
    cluster_ends,
    cluster_sums,
)
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)
from events.tables import EVENTS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_early_exit")


@dataclass(frozen=True)
class Settings:
    """What the summary reads of the sections `early_exit` and `intervals`."""

    groups: list[int]
    """Numbers of backtracks that get a separate line."""
    least_problems: int
    """Fewest problems with an interval."""
    confidence: float
    """Coverage of the intervals."""
    calibration_bins: int
    """Number of bins of the calibration; all hold equally many exits."""

    @property
    def resampling(self) -> Resampling:
        """How intervals are computed."""
        return Resampling(self.confidence, self.least_problems)


def published_logits(
    reference: dict[str, Any], model: str, dataset: str
) -> dict[int, list[float]]:
    """Published mean logits by number of backtracks; empty for another study."""
    if (reference["model"], reference["dataset"]) != (model, dataset):
        return {}
    return {int(group): means for group, means in reference["mean_logit"].items()}


def exit_cases(
    exits: pl.DataFrame, traces: pl.DataFrame, events: pl.DataFrame
) -> pl.DataFrame:
    """Exits with problem, final correctness, number of backtracks, scaled logit.

    `normalised` is (logit - min) / (max - min) over the exits of the trace. It is null
    if all exits of the trace have the same logit.
    """
    backtracks = (
        events.filter(pl.col("kind") == "backtrack")
        .group_by("trace")
        .agg(backtracks=pl.len().cast(pl.Int32))
    )
    lowest, highest = pl.col("logit").min(), pl.col("logit").max()
    scaled = (pl.col("logit") - lowest) / (highest - lowest)
    return (
        exits.join(
            traces.select("trace", "problem", final="correct"), on="trace", how="inner"
        )
        .join(backtracks, on="trace", how="left")
        .with_columns(
            pl.col("backtracks").fill_null(0),
            normalised=scaled.over("trace").fill_nan(None),
        )
        .sort("trace", "exit")
    )


def summarise(
    cases: pl.DataFrame, published: dict[int, list[float]], settings: Settings
) -> pl.DataFrame:
    """One row per group and exit, with intervals; groups without traces have no row."""
    rows: list[dict[str, Any]] = []
    for group in sorted(settings.groups):
        members = cases.filter(pl.col("backtracks") == group)
        if members.height:
            rows += _group_rows(group, members, published.get(group, []), settings)
    return EARLY_EXIT_SUMMARY.frame(rows)


def _group_rows(
    group: int, cases: pl.DataFrame, published: list[float], settings: Settings
) -> list[dict[str, Any]]:
    counts = cases.group_by("exit").agg(
        traces=pl.len(),
        problems=pl.col("problem").n_unique(),
        final_accuracy=pl.col("final").mean(),
    )
    logits = mean_curve(cases, "logit", settings)
    scaled = mean_curve(cases, "normalised", settings)
    shares = mean_curve(cases, "correct", settings, shares=True)
    rows = []
    for count in counts.sort("exit").iter_rows(named=True):
        number = count["exit"]
        row = {
            "backtracks": group,
            **count,
            **_interval("logit", logits, number),
            **_interval("normalised", scaled, number),
            **_interval("accuracy", shares, number),
            "published_logit": published[number] if number < len(published) else None,
        }
        rows.append({name: row[name] for name in EARLY_EXIT_SUMMARY.schema})
    return rows


def mean_curve(
    cases: pl.DataFrame, name: str, settings: Settings, *, shares: bool = False
) -> np.ndarray:
    """Mean by exit and its interval over problems; `shares`: of a column of flags.

    Returns:
        `[3, exit]`: mean, low, high; NaN for an exit without values.
    """
    exits = cases["exit"].to_numpy()
    sums, counts = cluster_sums(
        cases[name].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        cases["problem"].to_numpy(),
        exits,
        int(exits.max()) + 1,
    )
    total = counts.sum(axis=0)
    mean = np.where(total > 0, sums.sum(axis=0) / np.maximum(total, 1), np.nan)
    low, high = cluster_ends(sums, counts, settings.resampling, shares=shares)
    return np.stack([mean, low, high])


def _interval(name: str, curve: np.ndarray, number: int) -> dict[str, float | None]:
    names = (name, f"{name}_low", f"{name}_high")
    values = (None if np.isnan(value) else float(value) for value in curve[:, number])
    return dict(zip(names, values, strict=True))


def calibrate(cases: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Confidence and accuracy in bins of equal counts, over all exits with an answer.

    Confidence is the probability of the answer's tokens, exp(logprob).
    """
    # ASSUME: this probability is the model's confidence; other spellings are left out.
    confidence = pl.col("logprob").exp().clip(0, 1)  # rounding may exceed 1
    answered = (
        cases.filter(pl.col("logprob").is_not_null())
        .with_columns(confidence=confidence)
        .sort("confidence", maintain_order=True)
    )
    bins = equal_count_bins(answered.height, settings.calibration_bins)
    cells = (
        answered.with_columns(bin=pl.Series(bins, dtype=pl.Int32))
        .group_by("bin")
        .agg(
            exits=pl.len().cast(pl.Int32),
            problems=pl.col("problem").n_unique().cast(pl.Int32),
            lowest=pl.col("confidence").min(),
            highest=pl.col("confidence").max(),
            confidence=pl.col("confidence").mean(),
            accuracy=pl.col("correct").mean(),
            brier=((pl.col("confidence") - pl.col("correct")) ** 2).mean(),
        )
        .sort("bin")
    )
    right = answered["correct"].cast(pl.Float64).to_numpy()
    problems = answered["problem"].to_numpy()
    by_bin = cluster_sums(right, problems, bins, cells.height)
    ends = cluster_ends(*by_bin, settings.resampling, shares=True)
    columns = [
        pl.Series(name, values).fill_nan(None)
        for name, values in zip(("accuracy_low", "accuracy_high"), ends, strict=True)
    ]
    return cells.with_columns(columns).select(list(EARLY_EXIT_CALIBRATION.schema))


def main(
    *,
    exits_path: Path,
    traces_path: Path,
    events_path: Path,
    published_path: Path,
    summary_path: Path,
    calibration_path: Path,
    study: tuple[str, str],
    settings: Settings,
) -> None:
    """Read the tables, summarise, write; `study` is the source of model and dataset."""
    cases = exit_cases(
        EARLY_EXIT.read(exits_path), TRACES.read(traces_path), EVENTS.read(events_path)
    )
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    summary = summarise(cases, published_logits(reference, *study), settings)
    logger.info("%d exits, %d points", cases.height, summary.height)
    EARLY_EXIT_SUMMARY.write(summary, summary_path)
    EARLY_EXIT_CALIBRATION.write(calibrate(cases, settings), calibration_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            exits_path=Path(snakemake.input.exits),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            published_path=Path(snakemake.input.published),
            summary_path=Path(snakemake.output.summary),
            calibration_path=Path(snakemake.output.calibration),
            study=(snakemake.params.model, snakemake.params.dataset),
            settings=Settings(**snakemake.params.settings),
        )
