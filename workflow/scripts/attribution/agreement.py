"""Agreement of estimates with exact values: correlations, signs, largest cells."""

from typing import Any

import polars as pl

from doubletake.tables.verification import VerificationRow

TOP = 5  # k of recall@k: the k largest cells
CELLS = 8  # tokens drawn per position, component and layer: more than `TOP`
STATISTICS = {
    "pearson": ("mean Pearson correlation", "1"),
    "spearman": ("mean Spearman correlation", "1"),
    "sign": ("equal signs", "share"),
    "recall": (f"top {TOP} found", "share"),
}
"""Name and unit of each statistic in a verification table."""


def agreement(
    cells: pl.DataFrame, estimate: str, by: list[str], exact: str = "exact"
) -> pl.DataFrame:
    """Four statistics per group of cells, one row per group.

    `pearson` and `spearman` are null where either side is constant or a group has fewer
    than three cells. `sign` is the share of cells with equal signs. `recall` is the
    share of the `TOP` cells of largest |exact| that are also among the `TOP` cells of
    largest |estimate|; it is null where a group has `TOP` cells or fewer. Cells without
    an estimate are left out.

    Args:
        cells: columns `by`, `estimate` and `exact`.
        estimate: name of the estimate's column.
        by: columns that form a group.
        exact: name of the reference's column.
    """
    estimated, reference = pl.col(estimate), pl.col(exact)
    enough = pl.len() >= 3
    hits = (estimated.abs().rank("ordinal", descending=True) <= TOP) & (
        reference.abs().rank("ordinal", descending=True) <= TOP
    )
    with_estimate = cells.drop_nulls(estimate)
    statistics = with_estimate.group_by(by, maintain_order=True).agg(
        n=pl.len(),
        pearson=pl.when(enough).then(pl.corr(estimated, reference)),
        spearman=pl.when(enough).then(pl.corr(estimated, reference, method="spearman")),
        sign=(estimated.sign() == reference.sign()).mean(),
        recall=pl.when(pl.len() > TOP).then(hits.sum() / TOP),
    )
    return statistics.with_columns(pl.col(list(STATISTICS)).fill_nan(None))


def verification_figures(
    cells: pl.DataFrame, method: str, by_layer: bool
) -> list[VerificationRow]:
    """Agreement of a method's scores with exact patching, as means over positions.

    The statistics are computed within a position and layer, because scores of different
    positions differ in size. The means and shares of shards merge exactly.

    Args:
        cells: `ATTRIBUTION_CELLS`.
        method: column of the estimate.
        by_layer: whether each layer has its own rows, or all layers share one.
    """
    statistics = agreement(cells, method, ["component", "layer", "trace", "event"])
    by = ["component", "layer"] if by_layer else ["component"]
    figures: list[VerificationRow] = []
    for key, group in statistics.sort(by).group_by(by, maintain_order=True):
        check = f"{method} attribution of {key[0]} against exact patching"
        if by_layer:
            check += f", layer {key[1]}"
        for statistic, (name, unit) in STATISTICS.items():
            values = group.drop_nulls(statistic)
            mean: Any = values[statistic].mean()
            figures.append(
                VerificationRow(
                    check=check,
                    statistic=name,
                    value=mean,
                    unit=unit,
                    n=values.height,
                    merge="mean",
                )
            )
    return figures
