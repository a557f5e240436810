"""The page's sentences and table on the agreement with exact patching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from attribution.agreement import CELLS, TOP
from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, plural, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

METHODS = {
    "gradient": "the gradient at the clean run",
    "integrated": "gradients averaged along a path (EAP-IG)",
}


def method_of(data: StudyData) -> str:
    """The method that the study uses."""
    return data.settings["attribution"]["method"]


def first_row(table: pl.DataFrame, **where: Any) -> dict[str, Any] | None:
    """The first row with these values; a value of None selects nulls."""
    for name, value in where.items():
        column = pl.col(name)
        table = table.filter(column.is_null() if value is None else column == value)
    return table.row(0, named=True) if table.height else None


def check_row(
    data: StudyData, method: str, statistic: str, layer: int | None
) -> dict[str, Any] | None:
    """The row of a check of the residual stream; layer None: all layers together."""
    table = data.tables["attribution/checks"].drop_nulls("mean")
    return first_row(
        table, method=method, component="resid", statistic=statistic, layer=layer
    )


def _range(data: StudyData, row: dict[str, Any]) -> str:
    return data.between(row, lambda value: real(value, 2))


def agreement_sentence(data: StudyData) -> str:
    """Agreement with exact patching, of the other method too where it was run."""
    method = method_of(data)
    row = check_row(data, method, "pearson", None)
    if row is None:
        return ""
    sign, recall = (check_row(data, method, name, None) for name in ("sign", "recall"))
    text = (
        "How good the estimate is: over the tokens of a position, the estimate by "
        f"{METHODS[method]} correlates {real(row['mean'], 2)} "
        f"({_range(data, row)}) with exact mean-ablation"
        f"{_extreme_layers(data, method)}. It has the right sign in "
        f"{percent(sign['mean'] if sign else None)} of the sampled tokens"
    )
    if recall is not None:
        text += (
            f" and finds {percent(recall['mean'])} of the {TOP} largest of {CELLS} "
            f"(by chance: {percent(TOP / CELLS, 0)})"
        )
    caution = "Read the scores of single tokens with this error in mind."
    if row["low"] is not None and row["low"] <= 0:
        caution = (
            "The interval of the correlation holds 0: the estimate is not shown to "
            "agree with exact patching."
        )
    return f"{text}. {_other_method(data, method, row['positions'])}{caution}"


def _extreme_layers(data: StudyData, method: str) -> str:
    """The layers of the lowest and of the highest correlation with an interval."""
    layers = data.tables["attribution/checks"].filter(
        method=method, component="resid", statistic="pearson"
    )
    layers = layers.drop_nulls(["layer", "mean", "low"]).sort("mean")
    if layers.height < 2:
        return ""
    (worst, low), (best, high) = (
        layers.select("layer", "mean").row(index) for index in (0, -1)
    )
    return (
        f", from {real(low, 2)} before layer {worst} to {real(high, 2)} before "
        f"layer {best}"
    )


def _other_method(data: StudyData, method: str, positions: int) -> str:
    """Correlation of the method that the study does not use; empty if it was not run.

    Args:
        data: the study.
        method: the method that the study uses.
        positions: number of positions behind its correlation.
    """
    other = next(name for name in METHODS if name != method)
    row = check_row(data, other, "pearson", None)
    if row is None:
        return ""
    where = "here" if row["positions"] == positions else "at some of these cells"
    return (
        f"{METHODS[other][0].upper()}{METHODS[other][1:]}, {where}: correlation "
        f"{real(row['mean'], 2)} ({_range(data, row)}, n\u00a0=\u00a0"
        f"{row['positions']:,} against {positions:,}). "
    )


def agreement_sheet(data: StudyData) -> Sheet | None:
    """Agreement by layer of the method used."""
    table = data.tables["attribution/checks"].filter(
        method=method_of(data), component="resid"
    )
    rows = []
    for (layer,), group in table.group_by("layer", maintain_order=True):
        by_statistic = {row["statistic"]: row for row in group.to_dicts()}
        name = "all layers" if layer is None else f"before layer {layer}"
        statistics = [
            by_statistic[key] for key in ("pearson", "spearman", "sign", "recall")
        ]
        cells = [
            NOTHING
            if row["mean"] is None
            else f"{real(row['mean'], 2)} ({_range(data, row)})"
            for row in statistics
        ]
        rows.append((name, *cells, count(by_statistic["sign"]["positions"])))
    if not rows:
        return None
    columns = ("residual stream", "Pearson", "Spearman", "equal signs")
    return Sheet(
        "The estimate against exact mean-ablation",
        (*columns, f"top {TOP} found", "n"),
        tuple(rows),
        note="Means over n positions (all layers: n pairs of position and layer) with "
        f"their intervals. {data.interval_note}",
    )


def cell_cases(data: StudyData) -> str:
    """Number of cells behind the comparison."""
    row = check_row(data, method_of(data), "sign", None)
    if row is None:
        return "No cell was patched exactly."
    return (
        f"{plural(row['positions'], 'pair')} of position and layer on "
        f"{plural(row['problems'], 'problem')}, with up to {CELLS} tokens each. "
        f"{data.interval_note}"
    )
