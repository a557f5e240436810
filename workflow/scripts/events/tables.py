"""Arrivals, backtracks, wrap-ups and controls of the thoughts."""

from doubletake.tables.table import COUNT, FLAG, TEXT, Column, Table

EVENTS = Table(
    "events",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "0, 1, ... within the trace, by place"),
        Column("kind", TEXT, "`arrival`, `backtrack`, `wrap_up` or `control`"),
        Column("ordinal", COUNT, "1, 2, ...: k-th of its kind in the trace"),
        Column("start", COUNT, "first character of the event in the trace's text"),
        Column("end", COUNT, "character after the event's last"),
        Column(
            "token",
            COUNT,
            "arrival: last token of the number; else: first token of the sentence",
        ),
        Column("value", TEXT, "arrival: canonical number", nullable=True),
        Column("is_gold", FLAG, "arrival: the value equals gold", nullable=True),
        Column("is_final", FLAG, "arrival: the value equals the answer", nullable=True),
        Column("cue", TEXT, "the words that signal the turn", nullable=True),
        Column(
            "cue_kind",
            TEXT,
            "backtrack: `check`, `doubt`, `alternative` or `reread`",
            nullable=True,
        ),
    ),
    holds="arrivals, backtracks, wrap-ups and controls, by character and token",
)
