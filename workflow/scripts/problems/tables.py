"""Problems and their reference answers."""

from doubletake.tables.table import TEXT, Column, Table

PROBLEMS = Table(
    "problems",
    (
        Column("problem", TEXT, "id: the row's place in its source"),
        Column("question", TEXT, "the problem's text"),
        Column("gold", TEXT, "the canonical number of the reference answer"),
        Column("solution", TEXT, "the reference solution as published"),
    ),
    holds="questions and canonical gold numbers",
)
