"""The table of runs: time, tokens and device of every shard of a stage."""

from doubletake.tables.table import BIG, REAL, TEXT, Column, Table

RUNS = Table(
    "*/runs",
    (
        Column("stage", TEXT, "name of the stage or experiment"),
        Column("shard", TEXT, "k-of-n"),
        Column("traces", BIG, "traces that were processed", unit="traces"),
        Column("tokens", BIG, "tokens that the model computed", unit="tokens"),
        Column("seconds", REAL, "wall time without start-up", unit="seconds"),
        Column("device", TEXT, "device of the computation"),
        Column("dtype", TEXT, "number format of the weights"),
        Column("note", TEXT, "a note for readers, e.g. on refused traces"),
    ),
    holds="tokens, seconds and device of the stage",
)
