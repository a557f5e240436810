"""How well scores tell right from wrong, on problems that trained no part of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from doubletake.stats.auroc import auroc
from doubletake.stats.intervals import IntervalSettings, jackknife_interval, number
from doubletake.stats.jackknife import without_each_cluster


@dataclass(frozen=True)
class Scored:
    """Points with the scores of probes that have not seen their problems."""

    scores: np.ndarray
    """[point], probability of a right trial answer."""
    labels: np.ndarray
    """[point], bool."""
    problems: np.ndarray
    """[point]."""
    trained_on: np.ndarray
    """[point], training group of the probe that scored it."""
    shuffled: np.ndarray
    """[shuffle, point], log-odds of probes with shuffled labels."""
    share: np.ndarray
    """[point], share of right points among those that trained the probe."""

    @classmethod
    def joined(cls, parts: "list[Scored]") -> "Scored":
        """The points of several probes."""
        names = ("scores", "labels", "problems", "trained_on", "shuffled", "share")
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)
                for name in names
            )
        )

    def of(self, taken: np.ndarray) -> "Scored":
        """Some of the points: [point], bool."""
        return Scored(
            self.scores[taken],
            self.labels[taken],
            self.problems[taken],
            self.trained_on[taken],
            self.shuffled[:, taken],
            self.share[taken],
        )

    def columns(self, intervals: IntervalSettings) -> dict[str, Any]:
        """The columns of `EXIT_PROBE_QUALITY` that describe these scores."""
        row: dict[str, Any] = {
            "tested": len(self.scores),
            "tested_problems": len(np.unique(self.problems)),
        }
        if len(np.unique(self.labels)) < 2:
            return row
        values = without_each_cluster(
            lambda weights: self._auroc(self.scores, weights), self.problems
        )
        area, low, high = jackknife_interval(
            values, self.problems, intervals, is_share=True
        )
        everyone = np.ones((1, len(self.scores)))
        controls = [self._auroc(scores, everyone)[0] for scores in self.shuffled]
        return row | {
            "auroc": number(area),
            "auroc_low": low,
            "auroc_high": high,
            "shuffled_auroc": number(np.mean(controls)) if controls else None,
            "brier": float(np.mean((self.scores - self.labels) ** 2)),
            "share_brier": float(np.mean((self.share - self.labels) ** 2)),
        }

    def _auroc(self, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return auroc(scores, self.labels, self.trained_on, weights)
