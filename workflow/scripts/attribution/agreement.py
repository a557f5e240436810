"""How well estimates agree with exact values: four figures per group of cases."""

from typing import Any

import polars as pl

from doubletake.tables.verification import VerificationRow

TOP = 5  # of `recall`
CELLS = 8  # of a decision, part and layer: more than `TOP`, where there are so many
STATISTICS = {
    "pearson": ("mean Pearson correlation", "1"),
    "spearman": ("mean Spearman correlation", "1"),
    "sign": ("equal signs", "share"),
    "recall": (f"top {TOP} found", "share"),
}
"""Name and unit in a verification table."""


def agreement(
    cells: pl.DataFrame, estimate: str, by: list[str], exact: str = "exact"
) -> pl.DataFrame:
    """One row per group of cells.

    `pearson` and `spearman` are null where either side is constant or there are fewer
    than three cells; `sign` is the share of cells with equal signs; `recall` the share
    of the `TOP` cells of largest |exact| that are among the `TOP` of largest
    |estimate|, null where there are no more cells than that. Cells without an estimate
    are left out.

    Args:
        cells: columns `by`, `estimate` and `exact`.
        estimate: name of the estimate's column.
        by: what makes a group.
        exact: name of the reference's column.
    """
    found, wanted = pl.col(estimate), pl.col(exact)
    enough = pl.len() >= 3
    hits = (found.abs().rank("ordinal", descending=True) <= TOP) & (
        wanted.abs().rank("ordinal", descending=True) <= TOP
    )
    known = cells.drop_nulls(estimate)
    figures = known.group_by(by, maintain_order=True).agg(
        n=pl.len(),
        pearson=pl.when(enough).then(pl.corr(found, wanted)),
        spearman=pl.when(enough).then(pl.corr(found, wanted, method="spearman")),
        sign=(found.sign() == wanted.sign()).mean(),
        recall=pl.when(pl.len() > TOP).then(hits.sum() / TOP),
    )
    return figures.with_columns(pl.col(list(STATISTICS)).fill_nan(None))


def figures_of(
    cells: pl.DataFrame, method: str, layered: bool
) -> list[VerificationRow]:
    """Agreement of a method's scores with exact patching, as means over decisions.

    Correlations are taken within a decision and layer, because scores of different
    decisions differ in size; the means and shares of shards merge exactly.

    Args:
        cells: `schemas.ATTRIBUTION_CELLS`.
        method: the column of the estimate.
        layered: one row per layer, or one for all layers.
    """
    groups = agreement(cells, method, ["part", "layer", "trace", "event"])
    by = ["part", "layer"] if layered else ["part"]
    figures: list[VerificationRow] = []
    for key, group in groups.sort(by).group_by(by, maintain_order=True):
        check = f"{method} attribution of {key[0]} against exact patching"
        if layered:
            check += f", layer {key[1]}"
        for statistic, (name, unit) in STATISTICS.items():
            known = group.drop_nulls(statistic)
            mean: Any = known[statistic].mean()
            figures.append(
                VerificationRow(
                    check=check,
                    statistic=name,
                    value=mean,
                    unit=unit,
                    n=known.height,
                    merge="mean",
                )
            )
    return figures
