"""Kinds against their baseline and the controls, draw by draw on the same thoughts."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.exit_rules.costs import accuracy_difference, ratio
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.paired_test import paired_p

Row = dict[str, Any]
PAIRED = ["trace", "place", "draw"]


def joined(part: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows of two kinds side by side; `_other` ends the columns of the second."""
    return part.join(other, on=PAIRED, suffix="_other", maintain_order="left")


def compared(
    part: pl.DataFrame,
    other: pl.DataFrame,
    column: str,
    name: str,
    s: IntervalSettings,
) -> Row:
    """A share of a kind minus that of another, on the same thoughts and draws.

    Args:
        part: rows of `MISTAKES` of one kind.
        other: of another kind.
        column: the flag that is compared.
        name: of the new columns.
        s: coverage, and fewest problems with an interval and a test.
    """
    both = joined(part, other).drop_nulls([column, f"{column}_other"])
    if both.is_empty():
        return {}
    first, second = (
        both[key].to_numpy().astype(bool) for key in (column, f"{column}_other")
    )
    problems = both["problem"].to_numpy()
    difference = accuracy_difference(first, second, problems, s)
    return difference.columns(name) | {
        f"{name}_p": paired_p(first, second, problems, s)
    }


def inflation(part: pl.DataFrame, other: pl.DataFrame, s: IntervalSettings) -> Row:
    """Tokens of a kind over those of another on the same thoughts and draws."""
    both = joined(part, other)
    if both.is_empty() or not both["tokens_other"].sum():
        return {}
    own, plain = (both[key].to_numpy() for key in ("tokens", "tokens_other"))
    return ratio(own, plain, both["problem"].to_numpy(), s).columns("inflation")


def corrected(rows: list[Row], name: str) -> None:
    """Add p-values that are corrected for the number of the tested rows (Holm).

    Args:
        rows: with the column NAME_p.
        name: of the comparison.
    """
    tested = [row for row in rows if row[f"{name}_p"] is not None]
    values = holm(np.array([row[f"{name}_p"] for row in tested], dtype=float))
    for row, value in zip(tested, values, strict=True):
        row[f"{name}_holm"] = float(value)
