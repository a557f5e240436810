"""A statistic over problems: its interval and its p-value, by the jackknife."""

from collections.abc import Callable

import numpy as np

from doubletake.stats.intervals import IntervalSettings, mean_ends, number
from doubletake.stats.jackknife import Jackknife, without_each_cluster


def tested(
    name: str,
    statistic: Callable[[np.ndarray], np.ndarray],
    problems: np.ndarray,
    intervals: IntervalSettings,
) -> dict[str, float | None]:
    """Columns NAME, NAME_low, NAME_high and p; p is of "the statistic is 0".

    Student's t with the degrees of freedom of the jackknife. There is no interval and
    no p-value below the least number of problems, and none where a part of the cases
    is missing without one of the problems.

    Args:
        name: of the statistic.
        statistic: takes weights [draw, case], 0 or 1, and gives a value per draw.
        problems: [case].
        intervals: coverage, and fewest problems.
    """
    from scipy.special import stdtr  # here, because its import is slow

    values = without_each_cluster(statistic, problems)
    columns: dict[str, float | None] = {name: number(values[0])}
    columns |= dict.fromkeys((f"{name}_low", f"{name}_high", "p"))
    if np.isnan(values).any():
        return columns
    cases = np.unique(problems, return_counts=True)[1][:, None]
    jackknife = Jackknife.of(values[:1], values[1:, None], cases)
    low, high = mean_ends(jackknife, intervals)
    columns |= {f"{name}_low": number(low[0]), f"{name}_high": number(high[0])}
    if columns[f"{name}_low"] is not None:
        t = abs(values[0]) / jackknife.error[0]
        freedom = max(float(jackknife.effective[0]) - 1, 1.0)
        columns["p"] = float(2 * stdtr(freedom, -t))
    return columns
