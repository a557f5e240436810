"""The index of the activation cache: which file and row hold an event."""

from doubletake.tables.table import COUNT, TEXT, Column, Table

ACTIVATION_INDEX = Table(
    "activations/index",
    (
        Column("row", COUNT, "row of the shard's tensors", unit="index"),
        Column("shard", TEXT, "name of the shard's safetensors file, k-of-n"),
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "number of the event within the trace", unit="index"),
        Column(
            "token",
            COUNT,
            "the cached position: for an arrival, its token; for a sentence, the token "
            "before its first one, where the model chooses to begin the sentence",
            unit="token index",
        ),
    ),
    sort=(
        "trace",
        "event",
        "token",
    ),
    holds="the file and row that hold each event",
)
