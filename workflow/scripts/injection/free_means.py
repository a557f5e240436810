"""Means of the free runs: how many differ, where first, and how many turn."""

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means, number
from injection.tables import INJECTION_FREE, INJECTION_FREE_RUNS, UNSTEERED
from injection.verdicts import corrected

SETTING = ("direction", "boundary", "depth", "strength", "mode")


def free_means(runs: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`INJECTION_FREE`: a row per setting, each beside the unsteered runs.

    The random vectors of a context are averaged.
    """
    INJECTION_FREE_RUNS.check(runs)
    plain = runs.filter(direction=UNSTEERED).select("trace", "token", plain="turned")
    steered = runs.filter(pl.col("direction") != UNSTEERED)
    joined = steered.join(plain, on=["trace", "token"], maintain_order="left")
    parts = joined.partition_by(SETTING, maintain_order=True)
    strict = corrected(intervals, len(parts))
    rows = []
    for part in parts:
        differs = part["first_different"].is_not_null()
        columns = part.select(
            differs.alias("differ").cast(pl.Float64),
            turned=pl.col("turned").cast(pl.Float64),
            unsteered=pl.col("plain").cast(pl.Float64),
        ).with_columns(change=pl.col("turned") - pl.col("unsteered"))
        values, problems = columns.to_numpy(), part["problem"].to_numpy()
        differ, turned = cluster_means(values[:, :2], problems, intervals, shares=True)
        unsteered, change = cluster_means(values[:, 2:], problems, strict)
        at = part["first_different"].drop_nulls()
        rows.append(
            part.select(SETTING).row(0, named=True)
            | differ.columns("differ")
            | {"at": number(np.median(at.to_numpy()) if len(at) else np.nan)}
            | turned.columns("turned")
            | {"unsteered": unsteered.value}
            | {name: within(end) for name, end in change.columns("change").items()}
            | {"n": part.height, "problems": change.clusters}
        )
    return INJECTION_FREE.frame(rows)


def within(difference: float | None) -> float | None:
    """A difference of two shares, or an end of its interval: from -1 to 1."""
    return None if difference is None else min(max(difference, -1.0), 1.0)
