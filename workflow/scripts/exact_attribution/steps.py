"""Agreement of the estimate with exact patching, by step and by layer."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.mean_tests import p_of_mean
from exact_attribution.summary_rows import EVENT, case_columns, mean_columns
from exact_attribution.tables import DIFFERENCE, EXACT_STEPS, GRADIENT, INTEGRATED

LEAST_WORDS = 3  # of a backtrack, to correlate over them
CELL = [*EVENT, "token", "word", "layer"]


def steps_table(cells: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`EXACT_STEPS`.

    Rows over all layers are of the sampled words, at all steps the same ones. Rows of
    one layer are of all measured words, moved the whole way.

    Args:
        cells: `EXACT_CELLS`.
        intervals: which intervals to give.
    """
    # Two words in the same tokens have equal values: they count once.
    key = ["trace", "event", "token", "layer", "step"]
    cells = cells.unique(key, keep="first", maintain_order=True)
    is_sampled = (pl.col("step") < 1) | pl.col("integrated").is_not_null()
    sampled = cells.join(cells.filter(is_sampled), on=CELL, how="semi")
    rows = []
    for step in sorted(sampled["step"].unique()):
        at = sampled.filter(pl.col("step") == step)
        rows.append(_row(GRADIENT, None, step, at, intervals))
    whole = sampled.filter(pl.col("step") == 1).drop_nulls("integrated")
    if whole.height:
        rows.append(_row(INTEGRATED, None, 1.0, whole, intervals, "integrated"))
    if sampled["step"].n_unique() > 1:
        rows.append(_difference(sampled, intervals))
    everywhere = cells.filter(pl.col("step") == 1)
    for layer in sorted(everywhere["layer"].unique()):
        at = everywhere.filter(layer=layer)
        rows.append(_row(GRADIENT, layer, 1.0, at, intervals))
    return EXACT_STEPS.frame(rows)


def correlations(cells: pl.DataFrame, estimate: str = "estimate") -> pl.DataFrame:
    """Pearson's correlation over the words of each backtrack and layer.

    Those with fewer than `LEAST_WORDS` words, or with equal values, have none.

    Args:
        cells: `EXACT_CELLS` at one step.
        estimate: the column that is compared with the exact value.
    """
    found = cells.group_by([*EVENT, "layer"], maintain_order=True).agg(
        words=pl.len(), pearson=pl.corr(estimate, "exact")
    )
    found = found.filter(pl.col("words") >= LEAST_WORDS)
    return found.with_columns(pl.col("pearson").fill_nan(None)).drop_nulls("pearson")


def _row(
    method: str,
    layer: int | None,
    step: float,
    cells: pl.DataFrame,
    intervals: IntervalSettings,
    estimate: str = "estimate",
) -> dict[str, Any]:
    found = correlations(cells, estimate)
    head = {"method": method, "layer": layer, "step": step}
    return head | _mean(found, intervals)


def _mean(found: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    problems = found["problem"].to_list()
    means = mean_columns("pearson", found["pearson"].to_list(), problems, intervals)
    p = p_of_mean(found["pearson"].to_numpy(), np.array(problems), intervals)
    tests = {"p": p, "p_holm": None}
    words = {"words": int(found["words"].sum())}
    return words | means | tests | case_columns(problems)


def _difference(sampled: pl.DataFrame, intervals: IntervalSettings) -> dict[str, Any]:
    """At the same words: agreement at the smallest step minus that at the whole way."""
    smallest: Any = sampled["step"].min()
    small, whole = (
        correlations(sampled.filter(pl.col("step") == step)) for step in (smallest, 1.0)
    )
    both = small.join(whole, on=[*EVENT, "layer"], maintain_order="left")
    both = both.with_columns(pearson=pl.col("pearson") - pl.col("pearson_right"))
    head = {"method": DIFFERENCE, "layer": None, "step": smallest}
    return head | _mean(both, intervals)
