"""Means and ratios of groups of cases, with intervals and p-values over problems."""

from dataclasses import dataclass
from math import ceil, log2
from typing import Any

import numpy as np

from doubletake.stats.intervals import (
    Ends,
    IntervalSettings,
    cluster_sums,
    mean_ends,
    number,
    share_ends,
)
from doubletake.stats.jackknife import Jackknife, p_against_zero


@dataclass(frozen=True)
class GroupMeans:
    """A mean or a ratio of each group; NaN where there is none."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    """Against 0 (`p_against_zero`); NaN without an interval, and where too few
    problems changed (`least_changed`)."""
    changed: np.ndarray
    """Number of problems whose values do not sum to 0."""
    n: np.ndarray
    """Number of cases."""
    problems: np.ndarray
    """Number of problems with a case."""

    def columns(self, name: str, group: int) -> dict[str, float | None]:
        """The value of a group and its ends, as columns of a table."""
        values = (self.value[group], self.low[group], self.high[group])
        names = (name, f"{name}_low", f"{name}_high")
        return {key: number(value) for key, value in zip(names, values, strict=True)}

    def cases(self, group: int) -> dict[str, int]:
        """Number of cases and of problems of a group, as columns of a table."""
        return {"n": int(self.n[group]), "problems": int(self.problems[group])}

    def p_values(self, group: int, corrected: np.ndarray) -> dict[str, Any]:
        """The test of a group against 0, as columns of a table."""
        return {
            "changed": int(self.changed[group]),
            "p": number(self.p[group]),
            "p_holm": number(corrected[group]),
        }


def group_means(
    values: np.ndarray,
    problems: np.ndarray,
    groups: np.ndarray,
    width: int,
    s: IntervalSettings,
    *,
    shares: bool = False,
) -> GroupMeans:
    """Means of groups.

    Args:
        values: `[case]`; NaN values are left out.
        problems: `[case]`.
        groups: `[case]`, from 0.
        width: number of groups.
        s: coverage, and fewest problems with an interval.
        shares: whether the values are 0 and 1.
    """
    sums, counts = cluster_sums(values.astype(float), problems, groups, width)
    return _ratio(sums, counts, counts, s, shares=shares)


def group_ratios(
    top: np.ndarray,
    bottom: np.ndarray,
    problems: np.ndarray,
    groups: np.ndarray,
    width: int,
    s: IntervalSettings,
) -> GroupMeans:
    """Sum of `top` over sum of `bottom` of groups; arguments as of `group_means`."""
    sums, counts = cluster_sums(top.astype(float), problems, groups, width)
    below, _ = cluster_sums(bottom.astype(float), problems, groups, width)
    return _ratio(sums, below, counts, s)


def _ratio(
    top: np.ndarray,
    bottom: np.ndarray,
    counts: np.ndarray,
    s: IntervalSettings,
    *,
    shares: bool = False,
) -> GroupMeans:
    """Ratios of sums, each `[cluster, group]`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = top.sum(0) / bottom.sum(0)
        left_out = (top.sum(0) - top) / (bottom.sum(0) - bottom)
    value = np.where(np.isfinite(value), value, np.nan)
    jackknife = Jackknife.of(value, left_out, counts)
    ends: Ends
    if shares:
        ends = share_ends(jackknife, counts.sum(0), s)
    else:
        ends = mean_ends(jackknife, s)
    changed = (top != 0).sum(0)
    tested = ~np.isnan(ends[0]) & (changed >= least_changed(s.confidence))
    p = np.where(tested, p_against_zero(jackknife), np.nan)
    n = counts.sum(0).astype(int)
    return GroupMeans(value, *ends, p, changed, n, (counts > 0).sum(0))


def group_difference(
    values: np.ndarray,
    problems: np.ndarray,
    second: np.ndarray,
    s: IntervalSettings,
) -> GroupMeans:
    """Mean of the first group minus that of the second, as one group.

    The jackknife leaves out the cases of a problem in both groups. The interval needs
    the least number of problems in each of them.

    Args:
        values: `[case]`.
        problems: `[case]`.
        second: `[case]`, whether it is of the second group.
        s: coverage, and fewest problems with an interval.
    """
    sums, counts = cluster_sums(values.astype(float), problems, second.astype(int), 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums.sum(0) / counts.sum(0)
        left_out = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    signs, cases = np.array([1.0, -1.0]), counts.sum(1, keepdims=True)
    difference = left_out @ signs
    jackknife = Jackknife.of(np.array([means @ signs]), difference[:, None], cases)
    fewer = (counts > 0).sum(0).min()
    low, high = mean_ends(jackknife, s)
    if fewer < s.least_problems:
        low = high = np.array([np.nan])
    p = np.where(np.isnan(low), np.nan, p_against_zero(jackknife))
    n, changed = np.array([len(values)]), (sums != 0).any(1).sum(keepdims=True)
    return GroupMeans(jackknife.value, low, high, p, changed, n, np.array([fewer]))


def least_changed(confidence: float) -> int:
    """Fewest problems with a change of the answer with which a change can be shown.

    If a change is as often for the better as for the worse, all of n changes go the
    same way with a probability of 2 (1/2)^n, which has to be at most 1 - `confidence`
    (6 problems for 95%). The number of changes says nothing of their direction, so what
    is tested can be chosen by it (Tarone 1990, Biometrics 46:515).
    """
    return ceil(log2(2 / (1 - confidence)))
