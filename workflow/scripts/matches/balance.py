"""Balance of covariates: standardised differences before and after matching.

The difference of the means is divided by the standard deviation before matching, so
that both differences have one unit (Stuart 2010, "Matching methods for causal
inference"; Austin 2009).
"""

from typing import Any

import numpy as np
import polars as pl

from matches.tables import BALANCE, NUMBERS

# ASSUME: a difference below a tenth of a standard deviation is balance (Austin 2009).
BALANCED = 0.1
FLAGS = ("line_start",)
CLASSES = "token_class"


def standardised(
    before: tuple[np.ndarray, np.ndarray], sides: tuple[np.ndarray, np.ndarray]
) -> float | None:
    """Difference of the means of `sides`, in standard deviations of `before`.

    Args:
        before: values of both classes before matching.
        sides: values of both classes, of which the difference is wanted.

    Returns:
        None where a class is empty, or where no value differs within a class but the
        classes differ.
    """
    if any(len(side) == 0 for side in (*before, *sides)):
        return None
    difference = float(sides[0].mean() - sides[1].mean())
    deviation = float(np.sqrt((before[0].var() + before[1].var()) / 2))
    if deviation == 0:
        return 0.0 if difference == 0 else None
    return difference / deviation


def balance_rows(
    contrast: str, before: list[pl.DataFrame], after: list[pl.DataFrame]
) -> list[dict[str, Any]]:
    """Rows of the table `matches/balance` of one contrast.

    Args:
        contrast: its name.
        before: the events of both classes that could be members of a pair.
        after: the members of the pairs, by class.
    """
    counts = {"first": before[0].height, "second": before[1].height}
    counts |= {"pairs": after[0].height}
    rows = []
    for name in (*NUMBERS, *FLAGS, CLASSES):
        row: dict[str, Any] = {"contrast": contrast, "covariate": name} | counts
        if name == CLASSES:
            row |= _of_classes(before, after)
        else:
            row |= _of_numbers(name, before, after)
        rows.append({column: row[column] for column in BALANCE.schema})
    return rows


def _of_numbers(
    name: str, before: list[pl.DataFrame], after: list[pl.DataFrame]
) -> dict[str, float | None]:
    """Means and standardised differences of a covariate that is a number or a flag."""
    row: dict[str, float | None] = {}
    of_before = _values(name, before)
    for when, tables in (("before", before), ("after", after)):
        sides = _values(name, tables)
        for side, values in zip(("first", "second"), sides, strict=True):
            row[f"{side}_{when}"] = float(values.mean()) if len(values) else None
        row[f"difference_{when}"] = standardised(of_before, sides)
    return row


def _values(name: str, tables: list[pl.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    first, second = (table[name].cast(pl.Float64).to_numpy() for table in tables)
    return first, second


def _of_classes(
    before: list[pl.DataFrame], after: list[pl.DataFrame]
) -> dict[str, float | None]:
    """The largest standardised difference of a class's share; no means."""
    names = sorted(set(before[0][CLASSES]) | set(before[1][CLASSES]))
    row: dict[str, float | None] = dict.fromkeys(
        ("first_before", "second_before", "first_after", "second_after")
    )
    for when, tables in (("before", before), ("after", after)):
        found = [
            standardised(_shares(name, before), _shares(name, tables)) for name in names
        ]
        known = [value for value in found if value is not None]
        row[f"difference_{when}"] = max(known, key=abs, default=None)
    return row


def _shares(name: str, tables: list[pl.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """1 for every case of a token class, 0 for every other case, by class."""
    first, second = (
        (table[CLASSES] == name).cast(pl.Float64).to_numpy() for table in tables
    )
    return first, second
