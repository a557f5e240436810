"""How far a stage can be trusted, measured in the same run."""

from doubletake.tables.table import BIG, REAL, TEXT, Column, Table

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
    ),
    holds="what the stage compared with what, on how many cases (`n`; where there "
    "are 0 cases there is no value), and how far it was off",
)
