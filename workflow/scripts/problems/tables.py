"""The table of problems and their reference answers."""

from doubletake.tables.table import TEXT, Column, Table

PROBLEMS = Table(
    "problems",
    (
        Column("problem", TEXT, "id: number of the row in its source, from 0"),
        Column("question", TEXT, "the problem's text"),
        Column(
            "gold",
            TEXT,
            "the reference answer: a canonical number, a letter of a choice, or LaTeX",
        ),
        Column("solution", TEXT, "the reference solution as published"),
    ),
    holds="questions and their reference answers",
)
