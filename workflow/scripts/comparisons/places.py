"""Reads what a panel draws from the tables of the studies."""

from collections.abc import Mapping, Sequence

import polars as pl

from doubletake.page.plots import with_interval
from doubletake.study.comparisons import Panel

SCHEMA = pl.Schema(
    {
        "study": pl.String,
        "panel": pl.String,
        "place": pl.String,
        "number": pl.Float64,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "beside": pl.Float64,
        "problems": pl.Int64,
        "drawn": pl.Boolean,
    }
)
"""Columns of the numbers.

`number` is the place on an axis of numbers, else null. `drawn` is false of a point
without the interval that it needs.
"""


ROW = "_row"


def points(panel: Panel, study: str, table: pl.DataFrame) -> pl.DataFrame:
    """The points of a study in a panel.

    Args:
        panel: what is drawn.
        study: its name.
        table: rows of the panel's table.

    Returns:
        Columns of `SCHEMA`, in the order of the table.
    """
    wanted = (
        pl.col(name).eq_missing(pl.lit(value)) for name, value in panel.where.items()
    )
    rows = table.filter(*wanted)
    rows = rows.drop_nulls([panel.across, panel.value]).with_row_index(ROW)
    kept = with_interval(rows, panel.interval[0])[0] if panel.interval else rows
    ends = panel.interval or (None, None)
    words = rows.schema[panel.across] == pl.String
    place = pl.col(panel.across)
    number = pl.lit(None) if words else place.cast(pl.Float64)
    if panel.of_last:
        last = table.select(place.max().fill_null(0)).item()
        number = number / max(last, 1)
    beside = [pl.col(name).cast(pl.Float64) for name in panel.beside]
    found = rows.select(
        study=pl.lit(study),
        panel=pl.lit(panel.title),
        place=place.cast(pl.String),
        number=number,
        value=pl.col(panel.value),
        low=_column(ends[0]),
        high=_column(ends[1]),
        beside=pl.max_horizontal(beside) if beside else pl.lit(None),
        problems=_column("problems" if "problems" in rows.columns else None),
        drawn=pl.col(ROW).is_in(kept[ROW].to_list()),
    )
    return found.cast(SCHEMA)


def words_of(rows: pl.DataFrame) -> list[str]:
    """Names of the places of a panel with words, in the order of their first row."""
    return rows["place"].unique(maintain_order=True).to_list()


def all_rows(
    panels: Sequence[Panel], studies: Mapping[str, Mapping[str, pl.DataFrame]]
) -> pl.DataFrame:
    """The points of all panels and studies: the numbers behind a figure.

    Args:
        panels: of a comparison.
        studies: tables by name, by the name of the study.
    """
    parts = [
        points(panel, name, tables[panel.table])
        for panel in panels
        for name, tables in studies.items()
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def _column(name: str | None) -> pl.Expr:
    return pl.lit(None) if name is None else pl.col(name)
