"""What every stage with a model leaves behind: how it checked itself, what it cost."""

from doubletake.schemas.tables import BIG, REAL, TEXT, Column, Table

VERIFICATION = Table(
    "verification",
    (
        Column("stage", TEXT, "the rule that checked itself"),
        Column("check", TEXT, "what was compared with what"),
        Column("statistic", TEXT, "which figure of the comparison"),
        Column("value", REAL, "the figure", nullable=True),
        Column("unit", TEXT, "its unit"),
        Column("n", BIG, "number of cases compared"),
        Column("bound", REAL, "what it must not exceed, if anything", nullable=True),
    ),
)

RUNS = Table(
    "runs",
    (
        Column("stage", TEXT, "the rule"),
        Column("shard", TEXT, "k-of-n"),
        Column("traces", BIG, "traces worked on"),
        Column("tokens", BIG, "tokens computed by the model"),
        Column("seconds", REAL, "wall time of the computation, without start-up"),
        Column("device", TEXT, "what it ran on"),
        Column("dtype", TEXT, "the weights' type"),
        Column("note", TEXT, "what a reader should know, e.g. refused traces"),
    ),
)
