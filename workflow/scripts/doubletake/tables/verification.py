"""How far a stage can be trusted, measured in the same run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import polars as pl

from doubletake.tables.table import BIG, REAL, TEXT, Column, Table

Merge = Literal["mean", "sum", "max"]
"""How a figure of all shards comes from those of single shards: their mean, weighted by
`n`, their sum, or the largest."""

VERIFICATION = Table(
    "*/verification",
    (
        Column("stage", TEXT, "the rule that checked itself"),
        Column("check", TEXT, "what was compared with what"),
        Column("statistic", TEXT, "which figure of the comparison"),
        Column("value", REAL, "the figure; null: no case was compared", nullable=True),
        Column("unit", TEXT, "its unit"),
        Column("n", BIG, "number of cases compared"),
        Column("bound", REAL, "what it must not exceed, if anything", nullable=True),
        Column(
            "merge",
            TEXT,
            "how shards merge: mean (weighted by `n`), sum, or max (the largest)",
            values=get_args(Merge),
        ),
    ),
    holds="what the stage compared with what, on how many cases (`n`; where there "
    "are 0 cases there is no value), and how far it was off",
)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A row of the table but for the stage; the columns say what the fields mean."""

    check: str
    statistic: str
    value: float | None
    unit: str
    n: int
    bound: float | None = None
    merge: Merge


def verification_of(stage: str, figures: Iterable[Figure]) -> pl.DataFrame:
    """The table of a stage."""
    return VERIFICATION.frame([{"stage": stage} | asdict(item) for item in figures])
