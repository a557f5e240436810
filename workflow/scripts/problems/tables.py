"""The table of problems and their reference answers."""

from doubletake.tables.table import TEXT, Column, Table

PROBLEMS = Table(
    "problems",
    (
        Column("problem", TEXT, "id: number of the row in its source, from 0"),
        Column("question", TEXT, "the problem's text"),
        Column("gold", TEXT, "the canonical number of the reference answer"),
        Column("solution", TEXT, "the reference solution as published"),
    ),
    holds="questions and canonical gold numbers",
)
