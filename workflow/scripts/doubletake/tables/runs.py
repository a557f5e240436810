"""What a stage cost."""

from doubletake.tables.table import BIG, REAL, TEXT, Column, Table

RUNS = Table(
    "*/runs",
    (
        Column("stage", TEXT, "name of the stage or experiment"),
        Column("shard", TEXT, "k-of-n"),
        Column("traces", BIG, "traces worked on"),
        Column("tokens", BIG, "tokens computed by the model"),
        Column("seconds", REAL, "wall time of the computation, without start-up"),
        Column("device", TEXT, "what it ran on"),
        Column("dtype", TEXT, "the weights' type"),
        Column("note", TEXT, "what a reader should know, e.g. refused traces"),
    ),
    holds="tokens, seconds and device of the stage",
)
