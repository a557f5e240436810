"""The curve of accuracy against cost of a rule, and the area under it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doubletake.exit_rules.replay import Looks
from doubletake.exit_rules.thresholds import spent_tokens
from doubletake.stats.intervals import (
    IntervalSettings,
    Mean,
    cluster_sums,
    mean_ends,
    number,
)
from doubletake.stats.jackknife import Jackknife


@dataclass(frozen=True)
class Sweep:
    """One rule with several thresholds on the same thoughts, summed by problem."""

    thresholds: tuple[float, ...]
    tokens: np.ndarray
    """[problem, threshold], kept and trial tokens."""
    right: np.ndarray
    """[problem, threshold], thoughts with a right answer."""
    full: np.ndarray
    """[problem], tokens of the full thoughts."""
    right_at_end: np.ndarray
    """[problem], full thoughts with a right answer."""
    thoughts: np.ndarray
    """[problem], number of thoughts."""
    stopped: np.ndarray
    """[threshold], thoughts that the rule stops."""

    @classmethod
    def of(cls, looks: Looks, thresholds: Sequence[float]) -> "Sweep":
        """Stop with each of one or more thresholds."""
        sweep = [looks.stops(threshold) for threshold in thresholds]
        first = sweep[0]
        columns = [
            *(spent_tokens(stops) for stops in sweep),
            *(stops.right for stops in sweep),
            first.full,
            first.right_at_end,
        ]
        values = np.stack(columns, axis=1).astype(float)
        cases, width = values.shape
        sums, counts = cluster_sums(
            values.ravel(),
            np.repeat(first.problems, width),
            np.tile(np.arange(width), cases),
            width,
        )
        n = len(sweep)
        stopped = np.array([int((stops.point >= 0).sum()) for stops in sweep])
        tokens, right = sums[:, :n], sums[:, n : 2 * n]
        full, at_end = sums[:, 2 * n], sums[:, 2 * n + 1]
        return cls(
            tuple(thresholds), tokens, right, full, at_end, counts[:, 0], stopped
        )

    @property
    def cost(self) -> np.ndarray:
        """[threshold], (kept + trial) / full."""
        return self.tokens.sum(0) / self.full.sum()

    @property
    def accuracy(self) -> np.ndarray:
        """[threshold], share of right answers."""
        return self.right.sum(0) / self.thoughts.sum()

    def area(self, intervals: IntervalSettings, start: float = 0.0) -> Mean:
        """Area under the curve (`area_under_curve`), with its interval over problems.

        Args:
            intervals: coverage, and fewest problems with an interval.
            start: accuracy without any thought, the same for all rules.
        """
        everyone = np.ones(len(self.full))
        kept = [everyone, *(everyone - np.eye(len(self.full)))]
        areas = np.array([self._area(weights, start) for weights in kept])
        counts = self.thoughts[:, None]
        jackknife = Jackknife.of(areas[:1], areas[1:, None], counts)
        low, high = mean_ends(jackknife, intervals)
        n = int(counts.sum())
        return Mean(areas[0], number(low[0]), number(high[0]), n, len(counts))

    def _area(self, weights: np.ndarray, start: float) -> float:
        """The area, with problems weighted by 0 or 1."""
        thoughts = weights @ self.thoughts
        if not thoughts:
            return np.nan
        cost = weights @ self.tokens / (weights @ self.full)
        accuracy = weights @ self.right / thoughts
        end = weights @ self.right_at_end / thoughts
        return area_under_curve(cost, accuracy, start, end)


def area_under_curve(
    cost: np.ndarray, accuracy: np.ndarray, start: float, end: float
) -> float:
    """Mean accuracy over all costs from 0 to 1, on straight lines between points.

    The curve begins at cost 0 without any thought, and ends at cost 1 with the full
    thought. A threshold that costs more than the full thought is left out, because one
    can think to the end instead. No accuracy is replaced by a higher one at a lower
    cost: such a choice would need other data.

    Args:
        cost: [threshold], (kept + trial) / full.
        accuracy: [threshold].
        start: accuracy without any thought.
        end: accuracy of the full thought.
    """
    inside = cost <= 1
    order = np.lexsort((accuracy[inside], cost[inside]))
    x = np.concatenate([[0.0], cost[inside][order], [1.0]])
    y = np.concatenate([[start], accuracy[inside][order], [end]])
    return float(np.trapezoid(y, x))
