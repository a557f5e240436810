"""Calibration of the confidence at exits, for exit 0 and for later exits apart."""

import numpy as np
import polars as pl

from doubletake.stats.calibration import calibration_error, equal_count_bins
from doubletake.stats.intervals import IntervalSettings, cluster_ends, cluster_sums
from early_exit.tables import (
    ARRIVALS,
    CALIBRATION_PARTS,
    EARLY_EXIT_CALIBRATION,
    NO_THOUGHT,
)

PART_NAMES = {NO_THOUGHT: "exit 0", ARRIVALS: "exits from 1 on"}


def exits_of_part(exits: pl.DataFrame, part: str) -> pl.DataFrame:
    """The exits of one of `CALIBRATION_PARTS`."""
    is_start = pl.col("exit") == 0
    return exits.filter(is_start if part == NO_THOUGHT else ~is_start)


def confidences(exits: pl.DataFrame) -> pl.Series:
    """Probability of the whole answer, with what ends it; null without an answer."""
    # ASSUME: this probability is the model's confidence; other spellings are left out.
    return exits["whole_logprob"].exp().clip(0, 1)  # rounding may exceed 1


def calibrate(
    cases: pl.DataFrame, bins: int, intervals: IntervalSettings
) -> pl.DataFrame:
    """Confidence and accuracy in bins of equal counts, over the exits with an answer.

    Before any thought a model is rarely sure and rarely right. These exits would fill
    bins of their own and hide how well the later ones are calibrated. So the parts have
    separate bins.

    Args:
        cases: exits with the columns exit, problem, correct and whole_logprob.
        bins: of each part.
        intervals: how intervals are computed.

    Returns:
        Rows of `EARLY_EXIT_CALIBRATION`.
    """
    parts = [
        _bins_of(part, exits_of_part(cases, part), bins, intervals)
        for part in CALIBRATION_PARTS
    ]
    return pl.concat(parts).select(list(EARLY_EXIT_CALIBRATION.schema))


def _bins_of(
    part: str, exits: pl.DataFrame, bins: int, intervals: IntervalSettings
) -> pl.DataFrame:
    answered = (
        exits.with_columns(confidence=confidences(exits))
        .drop_nulls("confidence")
        .sort("confidence", maintain_order=True)
    )
    numbers = equal_count_bins(answered.height, bins)
    confidence, correct = pl.col("confidence"), pl.col("correct")
    cells = (
        answered.with_columns(bin=pl.Series(numbers, dtype=pl.Int32))
        .group_by("bin", maintain_order=True)
        .agg(
            exits=pl.len().cast(pl.Int32),
            problems=pl.col("problem").n_unique().cast(pl.Int32),
            lowest=confidence.min(),
            highest=confidence.max(),
            confidence=confidence.mean(),
            accuracy=correct.mean(),
            brier=((confidence - correct) ** 2).mean(),
        )
        .with_columns(part=pl.lit(part))
        .sort("bin")
    )
    right = answered["correct"].cast(pl.Float64).to_numpy()
    problems = answered["problem"].to_numpy()
    by_bin = cluster_sums(right, problems, numbers, cells.height)
    ends = cluster_ends(*by_bin, intervals, shares=True)
    columns = [
        pl.Series(name, values, pl.Float64).fill_nan(None)
        for name, values in zip(("accuracy_low", "accuracy_high"), ends, strict=True)
    ]
    return cells.with_columns(columns)


def expected_calibration_error(bins: pl.DataFrame) -> float:
    """ECE of the bins of one part."""
    names = ("confidence", "accuracy", "exits")
    return calibration_error(*(bins[name].to_numpy() for name in names))


def brier_score(bins: pl.DataFrame) -> float:
    """Mean squared difference of confidence and correctness (Brier 1950)."""
    weights = bins["exits"].to_numpy()
    return float(np.average(bins["brier"].to_numpy(), weights=weights))
