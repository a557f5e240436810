"""Actions against resampling and against random directions, draw by draw."""

import numpy as np
import polars as pl

from doubletake.exit_rules.costs import accuracy_difference, ratio
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.paired_test import paired_p

Row = dict[str, float | None]


def compared(
    part: pl.DataFrame, other: pl.DataFrame, name: str, s: IntervalSettings
) -> Row:
    """Accuracy of an action minus that of another on the same thoughts and draws.

    Args:
        part: rows of `WRONG_SAMPLES` of one start, place and action.
        other: of the same start and place and the other action.
        name: of the columns.
        s: coverage, and fewest problems with an interval and a test.
    """
    both = joined(part, other)
    if both.is_empty():
        return {}
    right, plain = (both[key].to_numpy() for key in ("correct", "correct_other"))
    problems = both["problem"].to_numpy()
    difference = accuracy_difference(right, plain, problems, s)
    p = paired_p(right, plain, problems, s)
    return difference.columns(name) | {f"{name}_p": p}


def token_rate(part: pl.DataFrame, other: pl.DataFrame, s: IntervalSettings) -> Row:
    """Tokens of an action over those of another on the same thoughts and draws.

    Args:
        part: as for `compared`.
        other: as for `compared`.
        s: coverage, and fewest problems with an interval.
    """
    both = joined(part, other)
    if both.is_empty() or not both["tokens_other"].sum():
        return {}
    own, plain = (both[key].to_numpy() for key in ("tokens", "tokens_other"))
    return ratio(own, plain, both["problem"].to_numpy(), s).columns("token_rate")


def joined(part: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows of both actions side by side; `_other` ends the columns of the second."""
    keys = ["trace", "draw"]
    return part.join(other, on=keys, suffix="_other", maintain_order="left")


def corrected(rows: list[Row], name: str) -> None:
    """Add p-values that are corrected for the number of these rows (Holm).

    Args:
        rows: of the summary, all of one start and place.
        name: of the comparison.
    """
    tested = [row for row in rows if row[f"{name}_p"] is not None]
    values = holm(np.array([row[f"{name}_p"] for row in tested], dtype=float))
    for row, value in zip(tested, values, strict=True):
        row[f"{name}_holm"] = float(value)
