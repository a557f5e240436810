"""Thoughts by their length."""

from doubletake.tables.table import COUNT, REAL, Column, Table

LENGTH = Table(
    "length",
    (
        Column("part", COUNT, "0, 1, ...: from short to long"),
        Column("thoughts", COUNT, "thoughts in the part", unit="thoughts"),
        Column("tokens", REAL, "mean length", unit="tokens"),
        Column("accuracy", REAL, "share of right answers"),
    ),
    holds="accuracy by length of the thought",
)
