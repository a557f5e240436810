"""The page's printed tables on all methods at the same events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, probability, real
from loop.methods import BY_COLUMN, METHODS, TARGETS
from loop.tables import LOOP

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def sheets(data: StudyData) -> list[Sheet]:
    """The methods with their means, all tested pairs, and what was planted."""
    if data.tables["loop"].is_empty():
        return []
    tables = [_methods(data), _pairs(data)]
    return tables + (
        [_planted(data)] if not data.tables["loop/planted"].is_empty() else []
    )


def _methods(data: StudyData) -> Sheet:
    means = {row["column"]: row for row in data.tables["loop/means"].to_dicts()}
    units = {column.name: column.unit for column in LOOP.columns}
    rows = [
        (
            method.phrase,
            method.family,
            units[method.column] or "share",
            count(row["n"]),
            real(row["mean"], 3),
            data.between(row, lambda value: real(value, 3)) if row["n"] else NOTHING,
        )
        for method in METHODS
        for row in [means[method.column]]
    ]
    columns = ("method", "family", "unit", "backtracks", "mean", "interval")
    return Sheet(
        "The methods",
        columns,
        tuple(rows),
        words=(0, 1, 2),
        note=f"Means over the backtracks. {data.interval_note} The meaning of each "
        "number stands in docs/tables.md, `loop`.",
    )


def _pairs(data: StudyData) -> Sheet:
    rows = data.tables["loop/correlations"].filter(same_family=False)
    cells = [
        (
            BY_COLUMN[row["first"]].label,
            BY_COLUMN[row["second"]].label,
            real(row["rho"], 2),
            data.between(row, lambda value: real(value, 2), "rho"),
            count(row["n"]),
            count(row["problems"]),
            probability(row["p_holm"]),
        )
        for row in rows.filter(pl.col("n") > 0).to_dicts()
    ]
    columns = ("first", "second", "\u03c1", "interval", "backtracks", "problems", "p")
    return Sheet(
        "Correlations between methods of different families",
        columns,
        tuple(cells),
        words=(0, 1),
        note="Spearman. p: corrected for all tests of the figure (Holm). "
        f"{data.interval_note}",
        folded=True,
    )


def _planted(data: StudyData) -> Sheet:
    cells = [
        (
            BY_COLUMN[row["method"]].label,
            TARGETS[row["target"]].label,
            row["statistic"],
            real(row["value"], 2),
            data.between(
                row | {"problems": row["fewer_problems"]},
                lambda value: real(value, 2),
                "value",
            ),
            count(row["n"]),
            probability(row["p_holm"]),
        )
        for row in data.tables["loop/planted"].filter(pl.col("n") > 0).to_dicts()
    ]
    columns = ("method", "planted", "statistic", "value", "interval")
    return Sheet(
        "The methods against what was planted",
        (*columns, "backtracks", "p"),
        tuple(cells),
        words=(0, 1, 2),
        note="p: corrected for all tests of the figure (Holm). AUROC: backtracks with "
        f"a cause against those without one. {data.interval_note}",
        folded=True,
    )
