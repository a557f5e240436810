"""Repair, damage and belief shift by the planted cause of the turn that follows."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from pocket.reading import CAUSES
from repair.changes import SHIFTED
from repair.group_means import GroupMeans, group_means
from repair.tables import BEGUN, BY_CAUSE, NO_TURN

GROUPS = (*CAUSES, NO_TURN)


def changes_by_cause(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`BY_CAUSE` of arrivals in a planted language.

    A step leads to the next arrival, or to the end. Rows without a turn are no test:
    the p-values are corrected for the number of causes that have an interval.

    Args:
        arrivals: rows of `ARRIVALS` after which thought tokens follow.
        s: coverage, and fewest problems with an interval.
    """
    cases = arrivals.with_columns(cause=pl.col("cause").fill_null(NO_TURN))
    now, later = (cases[name].cast(float) for name in ("correct", "next_correct"))
    nothing = float("nan")
    shifted, repaired, damaged = cases.select(
        shifted=SHIFTED,
        repaired=pl.when(correct=False).then(later).otherwise(nothing),
        damaged=pl.when(correct=True).then(1 - later).otherwise(nothing),
    )
    change = _means(cases, later - now, s, shares=False)
    columns = {
        "accuracy": _means(cases, now, s),
        "next_accuracy": _means(cases, later, s),
        "change": change,
        "repair": _means(cases, repaired, s),
        "damage": _means(cases, damaged, s),
        "shift": _means(cases, shifted, s),
    }
    tokens = _means(cases, cases["tokens_next"], s, shares=False)
    begun = np.bincount(_index(cases.filter(turn=BEGUN)), minlength=len(GROUPS))
    tested = np.where(np.array(GROUPS) == NO_TURN, np.nan, change.p)
    corrected = holm_of(tested)
    rows: list[dict[str, Any]] = []
    for group, cause in enumerate(GROUPS):
        if change.n[group]:
            row: dict[str, Any] = {"cause": cause, **change.cases(group)}
            row |= {"begun": int(begun[group]), "tokens": float(tokens.value[group])}
            row |= {"wrong": int(columns["repair"].n[group])}
            row |= change.p_values(group, corrected)
            for name, means in columns.items():
                row |= means.columns(name, group)
            rows.append(row)
    return BY_CAUSE.frame(rows)


def _index(cases: pl.DataFrame) -> np.ndarray:
    """Index of each case's cause in `GROUPS`."""
    return np.array([GROUPS.index(cause) for cause in cases["cause"]], dtype=int)


def _means(
    cases: pl.DataFrame, values: pl.Series, s: IntervalSettings, *, shares: bool = True
) -> GroupMeans:
    problems = cases["problem"].to_numpy()
    return group_means(
        values.to_numpy(), problems, _index(cases), len(GROUPS), s, shares=shares
    )
