"""Compares the checks of the verification tables with their bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.page.wording import NOTHING, count, listed, plural, significant

NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class JudgedCheck:
    """A row of the verification table, with the verdict on its bound."""

    stage: str
    check: str
    statistic: str
    value: str
    unit: str
    n: str
    bound: str
    within: str
    """`yes`, `no`, `not checked`, or a dash if there is no bound."""


def judged_checks(verification: pl.DataFrame) -> list[JudgedCheck]:
    """The rows of the verification tables of all stages, with their verdicts."""
    return [
        JudgedCheck(
            stage=row["stage"],
            check=row["check"],
            statistic=row["statistic"],
            value=NOT_CHECKED if _unchecked(row) else significant(row["value"]),
            unit=row["unit"],
            n=count(row["n"]),
            bound=NOTHING if row["bound"] is None else significant(row["bound"]),
            within=NOT_CHECKED if _unchecked(row) else _within(row),
        )
        for row in verification.iter_rows(named=True)
    ]


def _unchecked(row: dict[str, Any]) -> bool:
    """Whether no case was compared, so that a value means nothing."""
    return row["value"] is None or not row["n"]


def _within(row: dict[str, Any]) -> str:
    if row["bound"] is None:
        return NOTHING
    return "yes" if row["value"] <= row["bound"] else "no"  # a NaN counts as "no"


def verdict_of(checks: Sequence[JudgedCheck]) -> str:
    """The verification in one or two sentences."""
    bounded = [check for check in checks if check.within in ("yes", "no")]
    outside = [check for check in bounded if check.within == "no"]
    n = len(bounded)
    if outside:
        names = listed([f"{check.stage}: {check.statistic}" for check in outside])
        text = f"{len(outside)} of {plural(n, 'check')} exceed the bound: {names}."
    elif n > 1:
        text = f"All {n} checks with a bound are within their bounds."
    elif n:
        text = "The only check with a bound is within its bound."
    else:
        text = "No check has a measured value and a bound."
    return f"{text}{_unchecked_in_words(checks)}"


def _unchecked_in_words(checks: Sequence[JudgedCheck]) -> str:
    """A sentence on the number of checks without cases; empty if all had cases."""
    stages = [check.stage for check in checks if check.within == NOT_CHECKED]
    if not stages:
        return ""
    names = [f"{stage} {stages.count(stage)}" for stage in dict.fromkeys(stages)]
    n = "1 was" if len(stages) == 1 else f"{len(stages)} were"
    return f" {n} not checked, because there were no cases ({listed(names)})."
