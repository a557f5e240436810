"""The table of truth: every boundary of a thought, with its planted cause."""

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

TRUTH = Table(
    "truth",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column(
            "boundary", COUNT, "1, 2, ... in the order of the thought", unit="index"
        ),
        Column(
            "start",
            COUNT,
            "where the sentence at the boundary begins in the trace's text",
            unit="character",
        ),
        Column("end", COUNT, "the character after its last one", unit="character"),
        Column(
            "token",
            COUNT,
            "the sentence's first token; null if this token also holds a part of the "
            "sentence before",
            nullable=True,
            unit="token index",
        ),
        Column(
            "choice",
            TEXT,
            "`turn`, `wrap_up` or `go_on`; null if the sentence is not of the language",
            nullable=True,
            values=("turn", "wrap_up", "go_on"),
        ),
        Column("word", TEXT, "the sentence's first word"),
        Column(
            "cause",
            TEXT,
            "the planted cause that decides: `slip` (a false equation), `distractor` "
            "(a number of the question that is not used), `open_word` (a word that "
            "leaves a second reading open) or `none`",
            values=("slip", "distractor", "open_word", "none"),
        ),
        Column("causes", COUNT, "number of causes that hold here", unit="causes"),
        Column(
            "cause_in",
            TEXT,
            "the text in which the cause stands: `question` or `thought`; null without "
            "a cause",
            nullable=True,
            values=("question", "thought"),
        ),
        Column(
            "cause_start",
            COUNT,
            "where the cause begins, in the question or in the trace's text",
            nullable=True,
            unit="character",
        ),
        Column(
            "cause_end",
            COUNT,
            "the character after its last one",
            nullable=True,
            unit="character",
        ),
        Column("turns", COUNT, "turns of the thought before", unit="turns"),
        Column(
            "probability",
            REAL,
            "planted probability of turning back here",
            unit="probability",
        ),
    ),
    holds="every boundary at which a thought turns back, wraps up or goes on, with the "
    "planted cause; empty if the model's card names no planted language",
)
