"""Means with their intervals as table rows."""

from typing import Any

import numpy as np

from doubletake.stats.intervals import IntervalSettings, cluster_means, number


def mean_rows(
    values: np.ndarray, problems: np.ndarray, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Mean of every column with its interval and counts: `mean_columns` of the tables.

    Args:
        values: [position, column]; NaN where a position has no value.
        problems: [position], problem of each position.
        intervals: which intervals to give.
    """
    return [
        {
            "mean": number(mean.value),
            "low": mean.low,
            "high": mean.high,
            "positions": mean.n,
            "problems": mean.clusters,
        }
        for mean in cluster_means(values, problems, intervals)
    ]
