"""What an action would change if it were applied to all thoughts of the study.

    net = (share of wrong thoughts) (mended) - (share of right thoughts) (spoiled)

Both shares are over all thoughts of the study. A thought without an arrival has no
place for the action and keeps its answer.
"""

from dataclasses import dataclass
from math import hypot

import polars as pl

from doubletake.exit_rules.costs import accuracy_difference, share
from doubletake.stats.intervals import IntervalSettings, Mean
from wrong_samples.names import STARTS, STUDY, WRONG


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

    def total(self, means: dict[str, Mean], constant: float = 0.0) -> Mean:
        """The weighted sum of a mean of wrong thoughts and one of right thoughts.

        The distance of each end from the sum is the root of the squared weighted
        distances of the same ends of both means (Newcombe 1998, Stat. Med. 17:873; Zou
        & Donner 2008, Stat. Med. 27:1693). Unlike the jackknife of the sum, it holds
        where none of few right thoughts is spoiled.

        Args:
            means: by start. Without both intervals the sum has none.
            constant: is added.
        """
        # ASSUME: what becomes of wrong and of right thoughts is independent.
        weighted = [
            (self.wrong if start == WRONG else self.right, mean)
            for start, mean in means.items()
        ]
        value = constant + sum(weight * mean.value for weight, mean in weighted)
        n = sum(mean.n for _, mean in weighted)
        clusters = sum(mean.clusters for _, mean in weighted)
        distances = [
            (weight * (mean.value - mean.low), weight * (mean.high - mean.value))
            for weight, mean in weighted
            if mean.low is not None and mean.high is not None
        ]
        if len(distances) < len(weighted):
            return Mean(value, None, None, n, clusters)
        below, above = zip(*distances, strict=True)
        return Mean(value, value - hypot(*below), value + hypot(*above), n, clusters)


def net_change(
    part: pl.DataFrame, weights: Weights, s: IntervalSettings
) -> Mean | None:
    """The net change of accuracy; None without wrong or without right thoughts.

    Args:
        part: rows of `WRONG_SAMPLES` of one action and place.
        weights: of both starts.
        s: coverage, and fewest problems of each start with an interval.
    """
    means = {}
    for start in STARTS:
        own = part.filter(start=start)
        if own.is_empty():
            return None
        right, problems = own["correct"].to_numpy(), own["problem"].to_numpy()
        means[start] = share(right, problems, s)
    return weights.total(means, -weights.right)


def net_difference(
    both: pl.DataFrame, weights: Weights, s: IntervalSettings
) -> Mean | None:
    """The net change of an action minus that of another, on the same draws.

    Args:
        both: rows of both actions side by side, as `joined` gives them.
        weights: of both starts.
        s: coverage, and fewest problems of each start with an interval.
    """
    means = {}
    for start in STARTS:
        own = both.filter(start=start)
        if own.is_empty():
            return None
        right, other = (own[key].to_numpy() for key in ("correct", "correct_other"))
        means[start] = accuracy_difference(right, other, own["problem"].to_numpy(), s)
    return weights.total(means)
