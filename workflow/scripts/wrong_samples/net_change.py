"""What an action would change if it were applied to all thoughts of the study.

    net = (share of wrong thoughts) (mended) - (share of right thoughts) (spoiled)

Both shares are over all thoughts of the study. A thought without an arrival has no
place for the action and keeps its answer.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, Mean, mean_ends, number
from doubletake.stats.jackknife import Jackknife
from wrong_samples.names import RIGHT, STARTS, STUDY, WRONG


@dataclass(frozen=True)
class Weights:
    """Thoughts with an arrival, as shares of all thoughts of the study."""

    # ASSUME: the shares of the study are known without error.
    wrong: float
    right: float

    @classmethod
    def of(cls, thoughts: pl.DataFrame) -> "Weights":
        """The study's shares; `thoughts` are rows of `THOUGHTS`."""
        own = thoughts.filter(source=STUDY)
        arrived = own.filter(pl.col("arrivals") > 0)
        n = max(own.height, 1)
        wrong, right = (
            arrived.filter(correct=flag).height / n for flag in (False, True)
        )
        return cls(wrong, right)


def net_change(
    rows: pl.DataFrame, value: str, weights: Weights, s: IntervalSettings
) -> Mean | None:
    """Weighted mean change of accuracy, with its interval over problems.

    A problem with wrong and right thoughts is left out with both. None without wrong or
    without right thoughts.

    Args:
        rows: columns start, problem and `value`.
        value: change of a draw: 0 or 1 for wrong thoughts, 0 or -1 for right ones, or a
            difference of two such changes.
        weights: of both starts.
        s: coverage, and fewest problems of each start with an interval.
    """
    names, index = np.unique(rows["problem"].to_numpy(), return_inverse=True)
    starts, values = rows["start"].to_numpy(), rows[value].to_numpy().astype(float)
    total, left_out = 0.0, np.zeros(len(names))
    cases = np.zeros(len(names))
    fewest = len(names)
    for start in STARTS:
        own = starts == start
        if not own.any():
            return None
        sums, counts = np.zeros(len(names)), np.zeros(len(names))
        np.add.at(sums, index[own], values[own])
        np.add.at(counts, index[own], 1)
        weight = weights.wrong if start == WRONG else weights.right
        total += weight * sums.sum() / counts.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            left_out += weight * (sums.sum() - sums) / (counts.sum() - counts)
        cases += counts
        fewest = min(fewest, int((counts > 0).sum()))
    if fewest < s.least_problems:
        return Mean(total, None, None, len(rows), len(names))
    jackknife = Jackknife.of(np.array([total]), left_out[:, None], cases[:, None])
    low, high = mean_ends(jackknife, s)
    return Mean(total, number(low[0]), number(high[0]), len(rows), len(names))


def changes(name: str = "correct") -> pl.Expr:
    """Change of accuracy of each draw: right thoughts can only lose."""
    return pl.col(name).cast(pl.Int8) - (pl.col("start") == RIGHT).cast(pl.Int8)
