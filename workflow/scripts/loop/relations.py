"""Which methods agree: correlations of pairs, and each method against the planted."""

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from loop.methods import AUROC, CAUSE, METHODS, SPEARMAN, TARGETS, TWIN, WITHIN, Method
from loop.rank_correlation import Relation, classes_apart, spearman
from loop.tables import LOOP_CORRELATIONS, LOOP_PLANTED


def relations(
    loop: pl.DataFrame, intervals: IntervalSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`LOOP_CORRELATIONS` and `LOOP_PLANTED`, corrected together.

    Args:
        loop: `LOOP`.
        intervals: coverage, and fewest problems with an interval.
    """
    pairs = [
        pair_row(loop, first, second, intervals)
        for first, second in combinations(METHODS, 2)
    ]
    known = loop["cause"].count() > 0
    against = [
        target_row(loop, method, name, intervals)
        for method in METHODS
        for name in (TARGETS if known else ())
    ]
    rows = pairs + against
    p = np.array([np.nan if row["p"] is None else row["p"] for row in rows])
    for row, value in zip(rows, holm_of(p).tolist(), strict=True):
        row["p_holm"] = None if np.isnan(value) else value
    return LOOP_CORRELATIONS.frame(pairs), LOOP_PLANTED.frame(against)


def pair_row(
    loop: pl.DataFrame, first: Method, second: Method, intervals: IntervalSettings
) -> dict[str, Any]:
    """A row of `LOOP_CORRELATIONS`, without the correction."""
    x, y, problems = both(loop, first.column, second.column)
    found = spearman(x, y, problems, intervals)
    same = first.family == second.family
    return {
        "first": first.column,
        "second": second.column,
        "same_family": same,
        "rho": found.value,
        "rho_low": found.low,
        "rho_high": found.high,
        "n": found.n,
        "problems": found.problems,
        "p": None if same else found.p,
    }


def target_row(
    loop: pl.DataFrame, method: Method, name: str, intervals: IntervalSettings
) -> dict[str, Any]:
    """A row of `LOOP_PLANTED`, without the correction.

    Causes of different kinds differ in nearly everything. So the effect of the cause is
    compared within each kind: across them, a method could have the opposite sign.
    """
    x, y, problems = both(loop, method.column, TARGETS[name].column)
    found: Relation
    statistic = {CAUSE: AUROC, TWIN: WITHIN}.get(name, SPEARMAN)
    if statistic == AUROC:
        found = classes_apart(x, y > 0, problems, intervals)
    elif statistic == WITHIN:
        known = loop.drop_nulls([method.column, TARGETS[name].column])
        kinds = known["cause"].fill_null("").to_numpy()
        found = spearman(x, y, problems, intervals, kinds)
    else:
        found = spearman(x, y, problems, intervals)
    return {
        "method": method.column,
        "target": name,
        "statistic": statistic,
        "value": found.value,
        "value_low": found.low,
        "value_high": found.high,
        "n": found.n,
        "problems": found.problems,
        "fewer_problems": found.fewer_problems,
        "p": found.p,
    }


def both(
    loop: pl.DataFrame, first: str, second: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two columns as numbers and the problems, at the events that have both."""
    rows = loop.select("problem", first, second).drop_nulls()
    values = rows.select(pl.col(first, second).cast(pl.Float64))
    return (*(values[name].to_numpy() for name in (first, second)), _names(rows))  # type: ignore[return-value]


def _names(rows: pl.DataFrame) -> np.ndarray:
    return rows["problem"].to_numpy()
