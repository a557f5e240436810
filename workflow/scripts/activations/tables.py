"""Where the activation cache holds an event."""

from doubletake.tables.table import COUNT, TEXT, Column, Table

ACTIVATION_INDEX = Table(
    "activations/index",
    (
        Column("row", COUNT, "row of the shard's tensors"),
        Column("shard", TEXT, "name of the shard's safetensors file, k-of-n"),
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the event within the trace"),
        Column(
            "token",
            COUNT,
            "the cached position: an arrival's token; of a sentence the one before its "
            "token, where the model chooses to begin it",
        ),
    ),
    sort=(
        "trace",
        "event",
        "token",
    ),
    holds="the file and row that hold each event",
)
