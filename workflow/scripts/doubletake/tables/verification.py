"""The table of verification: errors of a stage, measured in the same run."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import polars as pl

from doubletake.tables.table import BIG, REAL, TEXT, Column, Table

Merge = Literal["mean", "sum", "max"]
"""How the value of all shards follows from the values of single shards: their mean
(weighted by `n`), their sum, or the largest value."""

VERIFICATION = Table(
    "*/verification",
    (
        Column("stage", TEXT, "name of the stage that verified itself"),
        Column("check", TEXT, "the two computations that were compared"),
        Column("statistic", TEXT, "the statistic of the comparison"),
        Column(
            "value",
            REAL,
            "value of the statistic; null: no case was compared",
            nullable=True,
            unit="see `unit`",
        ),
        Column("unit", TEXT, "unit of the value"),
        Column("n", BIG, "number of compared cases", unit="cases"),
        Column(
            "bound",
            REAL,
            "largest allowed value; null: no bound",
            nullable=True,
            unit="see `unit`",
        ),
        Column(
            "merge",
            TEXT,
            "how shards are merged: mean (weighted by `n`), sum, or max (the largest)",
            values=get_args(Merge),
        ),
    ),
    holds="the comparisons of a fast with a plain computation, the number of cases "
    "(`n`; with 0 cases there is no value), and the errors",
)


@dataclass(frozen=True, kw_only=True)
class VerificationRow:
    """A row of the table without the stage. The columns explain the fields."""

    check: str
    statistic: str
    value: float | None
    unit: str
    n: int
    bound: float | None = None
    merge: Merge


def violations(
    check: str, cases: Sequence[int], unit: str = "cases"
) -> VerificationRow:
    """How many cases break a rule that none may break.

    Args:
        check: the two things that must agree.
        cases: of each case whether, or how often, it breaks the rule.
        unit: of the cases.
    """
    return VerificationRow(
        check=check,
        statistic="violations",
        value=float(sum(cases)) if cases else None,
        unit=unit,
        n=len(cases),
        bound=0.0,
        merge="sum",
    )


def differing_share(
    check: str, texts: str, differing: Sequence[bool], bound: float | None
) -> VerificationRow:
    """The share of decoded texts with another token than they should have.

    Args:
        check: the two decodings that are compared.
        texts: what the texts are called.
        differing: of each text whether it differs.
        bound: the largest share that is allowed; None: rounding may change tokens.
    """
    return VerificationRow(
        check=check,
        statistic=f"{texts} with another token",
        value=sum(differing) / len(differing) if differing else None,
        unit="share",
        n=len(differing),
        bound=bound,
        merge="mean",
    )


def verification_of(stage: str, checks: Iterable[VerificationRow]) -> pl.DataFrame:
    """The verification table of a stage."""
    return VERIFICATION.frame([{"stage": stage} | asdict(check) for check in checks])
