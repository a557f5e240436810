"""How sure and how right are the forced answers, by exit and number of arrivals?

Traces are grouped as in the published figure, where every arrival counts as one
backtrack: a trace of group n has the exits 0 to n. All points of a line are therefore
means over the same traces.

Inputs
    exits: forced answers (`EARLY_EXIT`).
    traces: problem and final correctness of each trace.
    published: reference numbers, added if model and dataset are the same.

Outputs
    summary: one row per group and exit (`EARLY_EXIT_SUMMARY`).
    slopes: mean steps of each measure of confidence (`EARLY_EXIT_SLOPES`).
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
from doubletake.stats.intervals import (
    IntervalSettings,
    cluster_ends,
    cluster_sums,
)
from early_exit.calibration import calibrate
from early_exit.slopes import mean_slopes
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SLOPES,
    EARLY_EXIT_SUMMARY,
)
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_early_exit")

# Scaled to 0 to 1, two exits are 0 and 1 whatever the model does.
LEAST_SCALED = 3


@dataclass(frozen=True)
class Settings:
    """What the summary reads of the sections `early_exit` and `intervals`."""

    groups: list[int]
    """Numbers of arrivals that get a separate line."""
    least_problems: int
    """Fewest problems with an interval."""
    confidence: float
    """Coverage of the intervals."""
    calibration_bins: int
    """Bins of each part of the calibration; all hold equally many exits."""

    @property
    def intervals(self) -> IntervalSettings:
        """How intervals are computed."""
        return IntervalSettings(self.confidence, self.least_problems)


def published_logits(
    reference: dict[str, Any], model: str, dataset: str
) -> dict[int, list[float]]:
    """Published mean logits by number of arrivals; empty for another study."""
    if (reference["model"], reference["dataset"]) != (model, dataset):
        return {}
    return {int(group): means for group, means in reference["mean_logit"].items()}


def exit_cases(exits: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    """Exits with problem, final correctness, number of arrivals, compared logits.

    `arrivals` is the number of exits of the trace, without exit 0. `normalised` is
    (logit - min) / (max - min) over the exits of the trace. It is null if all exits of
    the trace have the same logit, or if fewer than `LEAST_SCALED` have one.
    `difference` is the logit minus that at exit 1 of the trace. It is null at exit 0.
    """
    logit, later = pl.col("logit"), pl.col("exit") > 0
    scaled = (logit - logit.min()) / (logit.max() - logit.min())
    at_first = logit.filter(pl.col("exit") == 1).first()
    return (
        exits.join(
            traces.select("trace", "problem", final="correct"), on="trace", how="inner"
        )
        .with_columns(
            arrivals=later.sum().over("trace").cast(pl.Int32),
            normalised=pl.when(logit.count().over("trace") >= LEAST_SCALED).then(
                scaled.over("trace").fill_nan(None)
            ),
            difference=pl.when(later).then(logit - at_first.over("trace")),
        )
        .sort("trace", "exit")
    )


def summarise(
    cases: pl.DataFrame, published: dict[int, list[float]], settings: Settings
) -> pl.DataFrame:
    """One row per group and exit, with intervals; groups without traces have no row."""
    rows: list[dict[str, Any]] = []
    for group in sorted(settings.groups):
        members = cases.filter(pl.col("arrivals") == group)
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
    names = ("logit", "normalised", "difference")
    curves = {name: mean_curve(cases, name, settings) for name in names}
    curves["accuracy"] = mean_curve(cases, "correct", settings, shares=True)
    rows = []
    for count in counts.sort("exit").iter_rows(named=True):
        number = count["exit"]
        row = {"arrivals": group, **count}
        for name, curve in curves.items():
            row |= _interval(name, curve, number)
        row["published_logit"] = published[number] if number < len(published) else None
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
    low, high = cluster_ends(sums, counts, settings.intervals, shares=shares)
    return np.stack([mean, low, high])


def _interval(name: str, curve: np.ndarray, number: int) -> dict[str, float | None]:
    names = (name, f"{name}_low", f"{name}_high")
    values = (None if np.isnan(value) else float(value) for value in curve[:, number])
    return dict(zip(names, values, strict=True))


def main(
    *,
    exits_path: Path,
    traces_path: Path,
    published_path: Path,
    summary_path: Path,
    slopes_path: Path,
    calibration_path: Path,
    study: tuple[str, str],
    settings: Settings,
) -> None:
    """Read the tables, summarise, write; `study` is the source of model and dataset."""
    cases = exit_cases(EARLY_EXIT.read(exits_path), TRACES.read(traces_path))
    reference = json.loads(published_path.read_text(encoding="utf-8"))
    summary = summarise(cases, published_logits(reference, *study), settings)
    logger.info("%d exits, %d points", cases.height, summary.height)
    EARLY_EXIT_SUMMARY.write(summary, summary_path)
    slopes = mean_slopes(cases, settings.intervals)
    EARLY_EXIT_SLOPES.write(slopes, slopes_path)
    bins = calibrate(cases, settings.calibration_bins, settings.intervals)
    EARLY_EXIT_CALIBRATION.write(bins, calibration_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            exits_path=Path(snakemake.input.exits),
            traces_path=Path(snakemake.input.traces),
            published_path=Path(snakemake.input.published),
            summary_path=Path(snakemake.output.summary),
            slopes_path=Path(snakemake.output.slopes),
            calibration_path=Path(snakemake.output.calibration),
            study=(snakemake.params.model, snakemake.params.dataset),
            settings=Settings(**snakemake.params.settings),
        )
