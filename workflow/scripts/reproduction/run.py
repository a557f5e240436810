"""A finished run of a study: its tables and settings, and numbers taken from them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from doubletake.page.wording import real
from doubletake.stats.intervals import IntervalSettings, cluster_means, number


class NotMeasured(Exception):
    """The run has no such number; the message says why."""


@dataclass(frozen=True)
class Finding:
    """A number of a run, and the table and column that hold it."""

    table: str
    column: str
    value: float | None = None
    low: float | None = None
    """Lower end of its interval over problems; None: none."""
    high: float | None = None
    cases: int | None = None
    problems: int | None = None
    holds: bool | None = None
    """Of a statement: whether its test shows it; None: not tested."""
    note: str = ""
    """What a reader should know beside the number."""

    def judged(self, holds: bool | None, note: str = "") -> "Finding":
        """The same number with the outcome of a statement's test."""
        return replace(self, holds=holds, note=note or self.note)

    @property
    def text(self) -> str:
        """The number with its interval, for a note."""
        return self.written(lambda value: real(value, 2))

    def written(self, write: Callable[[float], str]) -> str:
        """The number with its interval, each end written by a function."""
        value = "" if self.value is None else write(self.value)
        if self.low is None or self.high is None:
            return value
        return f"{value} ({write(self.low)} to {write(self.high)})"

    @property
    def is_positive(self) -> bool | None:
        """Whether its whole interval lies above 0; None without an interval."""
        return None if self.low is None else self.low > 0

    def above(self, other: "Finding") -> bool | None:
        """Whether its interval lies wholly above that of another number.

        A test at the level of the intervals, however the two numbers depend on each
        other: the error of a difference is at most the sum of both errors.
        """
        if self.low is None or other.high is None:
            return None
        return self.low > other.high


def all_of(outcomes: Iterable[bool | None]) -> bool | None:
    """Whether all hold; None if there are none, or if any was not tested."""
    known = list(outcomes)
    return None if not known or None in known else all(known)


@dataclass(frozen=True)
class Run:
    """A finished run of a study."""

    tables: Mapping[str, pl.DataFrame]
    """All tables of the workflow's stages, by name."""
    settings: dict[str, Any]
    """Sections of the config that made it."""
    published: bool
    """Whether it was made by the published recipe."""

    @property
    def intervals(self) -> IntervalSettings:
        """Coverage, and fewest problems with an interval."""
        return IntervalSettings(**self.settings["intervals"])

    def table(self, name: str) -> pl.DataFrame:
        """A table.

        Raises:
            NotMeasured: no stage of the workflow writes it, or it has no rows.
        """
        if name not in self.tables:
            raise NotMeasured(f"no stage of the workflow writes the table {name}")
        if self.tables[name].is_empty():
            raise NotMeasured(f"the table {name} has no rows")
        return self.tables[name]

    def rows(self, name: str, **where: Any) -> pl.DataFrame:
        """The rows of a table whose columns have the values `where`.

        Raises:
            NotMeasured: there are none.
        """
        found = self.table(name).filter(**where)
        if found.is_empty():
            asked = ", ".join(f"{key} = {value}" for key, value in where.items())
            raise NotMeasured(f"the table {name} has no row of {asked}")
        return found

    def cell(self, name: str, column: str, count: str, **where: Any) -> Finding:
        """A number of one row, with its interval and its problems.

        Args:
            name: of the table, which has the column `problems`.
            column: of the number; the ends are in COLUMN_low and COLUMN_high, or
                of the column `mean` in `low` and `high`.
            count: column with the number of cases.
            where: values that the row has.

        Raises:
            NotMeasured: there is no such row, or it holds no number.
        """
        row = self.rows(name, **where).row(0, named=True)
        if row[column] is None:
            raise NotMeasured(f"{name}.{column} is empty: no case")
        prefix = "" if column == "mean" else f"{column}_"
        return Finding(
            name,
            column,
            row[column],
            row[f"{prefix}low"],
            row[f"{prefix}high"],
            row[count],
            row["problems"],
        )

    def mean(
        self, name: str, column: str, cases: pl.DataFrame, *, shares: bool = False
    ) -> Finding:
        """The mean of cases with the columns `value` and `problem`, nulls left out.

        Args:
            name: of the table that the cases come from.
            column: of this table.
            cases: one row per case.
            shares: whether the values are flags.

        Raises:
            NotMeasured: there is no case.
        """
        cases = cases.drop_nulls("value")
        if cases.is_empty():
            raise NotMeasured(f"the table {name} has no case")
        values = cases["value"].cast(pl.Float64).to_numpy()[:, None]
        problems = np.asarray(cases["problem"].to_list())
        mean = cluster_means(values, problems, self.intervals, shares=shares)[0]
        return Finding(
            name,
            column,
            number(mean.value),
            mean.low,
            mean.high,
            mean.n,
            mean.clusters,
        )
