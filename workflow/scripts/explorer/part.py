"""A part of the explorer's data: rows of one table, by thought or by turn."""

from dataclasses import dataclass

import polars as pl

DIGITS = 6
"""Significant digits of the numbers that the explorer shows."""

Rows = dict[tuple[object, ...], list[list[object]]]
"""Values of the columns of a part, by key."""


@dataclass(frozen=True)
class Part:
    """Rows of a table that belong to a thought, or to an event of it."""

    name: str
    """Its name in the explorer's data."""
    table: str
    """Name of the table in the study."""
    columns: tuple[str, ...]
    """Columns that are shown, without the keys."""
    view: str | None = None
    """Of `VIEWS`; None: always there."""
    keys: tuple[str, ...] = ("trace",)
    only: tuple[str, tuple[str, ...]] | None = None
    """A column, and the values of it that are shown; None: all rows are shown."""
    distinct: bool = False
    """Equal rows are shown once."""
    also: tuple[str, ...] = ()
    """Further tables without which it cannot be shown."""
    beside: bool = False
    """It completes other parts: alone it is nothing to look at."""

    @property
    def tables(self) -> set[str]:
        """All tables without which it cannot be shown."""
        return {self.table, *self.also}

    def rows(self, table: pl.DataFrame) -> Rows:
        """Values of the columns, by key, in the order of the table.

        Args:
            table: its rows.
        """
        if self.only:
            name, values = self.only
            table = table.filter(pl.col(name).is_in(values))
        shown = [rounded(name, table.schema[name]) for name in self.columns]
        chosen = table.select(*self.keys, *shown)
        if self.distinct:
            chosen = chosen.unique(maintain_order=True)
        groups = chosen.partition_by(
            self.keys, as_dict=True, include_key=False, maintain_order=True
        )
        return {key: [list(row) for row in rows.rows()] for key, rows in groups.items()}


def rounded(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column; real numbers with `DIGITS` significant digits, null if not finite."""
    if dtype.is_float():
        return short(pl.col(name)).alias(name)
    if dtype in (pl.List(pl.Float32), pl.List(pl.Float64)):
        return pl.col(name).list.eval(short(pl.element()))
    return pl.col(name)


def short(value: pl.Expr) -> pl.Expr:
    """A real number with the digits that are shown; null if it is not finite."""
    number = value.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number.round_sig_figs(DIGITS))
