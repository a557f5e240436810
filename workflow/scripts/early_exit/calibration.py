"""Calibration of the confidence at exits, for exit 0 and for later exits apart."""

import numpy as np
import polars as pl

from doubletake.stats.calibration import calibration_error, equal_count_bins
from doubletake.stats.intervals import wilson_interval
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


def calibrate(cases: pl.DataFrame, bins: int, interval_coverage: float) -> pl.DataFrame:
    """Confidence and accuracy in bins of equal counts, over the exits with an answer.

    Before any thought a model is rarely sure and rarely right. These exits would fill
    bins of their own and hide how well the later ones are calibrated. So the parts have
    separate bins.

    Args:
        cases: exits with the columns exit, problem, correct and whole_logprob.
        bins: of each part.
        interval_coverage: coverage of the intervals.

    Returns:
        Rows of `EARLY_EXIT_CALIBRATION`.
    """
    parts = [
        _bins_of(part, exits_of_part(cases, part), bins) for part in CALIBRATION_PARTS
    ]
    cells = pl.concat(parts)
    # ASSUME: thoughts on one problem are as one case, so Wilson's n = problems.
    intervals = [
        wilson_interval(accuracy * problems, problems, interval_coverage)
        for accuracy, problems in cells.select("accuracy", "problems").iter_rows()
    ]
    ends = {
        "accuracy_low": [low for low, _ in intervals],
        "accuracy_high": [high for _, high in intervals],
    }
    columns = [pl.Series(name, values, pl.Float64) for name, values in ends.items()]
    return cells.with_columns(columns).select(list(EARLY_EXIT_CALIBRATION.schema))


def _bins_of(part: str, exits: pl.DataFrame, bins: int) -> pl.DataFrame:
    answered = (
        exits.with_columns(confidence=confidences(exits))
        .drop_nulls("confidence")
        .sort("confidence", maintain_order=True)
    )
    numbers = equal_count_bins(answered.height, bins)
    confidence, correct = pl.col("confidence"), pl.col("correct")
    return (
        answered.with_columns(bin=pl.Series(numbers, dtype=pl.Int32))
        .group_by("bin")
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


def expected_calibration_error(bins: pl.DataFrame) -> float:
    """ECE of the bins of one part."""
    names = ("confidence", "accuracy", "exits")
    return calibration_error(*(bins[name].to_numpy() for name in names))


def brier_score(bins: pl.DataFrame) -> float:
    """Mean squared difference of confidence and correctness (Brier 1950)."""
    weights = bins["exits"].to_numpy()
    return float(np.average(bins["brier"].to_numpy(), weights=weights))
