"""Columns of the events table."""

from doubletake.tables.table import COUNT, FLAG, TEXT, Column, Table

EVENTS = Table(
    "events",
    (
        Column("trace", TEXT, "id of the trace"),
        Column(
            "event", COUNT, "0, 1, ... in the order of the trace's text", unit="index"
        ),
        Column("kind", TEXT, "`arrival`, `backtrack`, `wrap_up` or `control`"),
        Column(
            "ordinal", COUNT, "1, 2, ... among the events of its kind", unit="index"
        ),
        Column(
            "start",
            COUNT,
            "where the event begins in the trace's text",
            unit="character",
        ),
        Column("end", COUNT, "the character after its last one", unit="character"),
        Column(
            "token",
            COUNT,
            "arrival: the number's last; other kinds: the sentence's first, markup "
            "included",
            unit="token index",
        ),
        Column(
            "value",
            TEXT,
            "arrival: canonical number, or letter or expression",
            nullable=True,
        ),
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

PART = "part of a longer number"
EARLY = "before the first arrival of rules"
SAME_SENTENCE = "second in its sentence"
RESTATED = "restated without a turn"
NEW = "new"
GROUPS = (PART, EARLY, SAME_SENTENCE, RESTATED, NEW)
"""Groups of a detector's arrivals; each arrival is in the first that holds it."""

EVENT_COUNTS = Table(
    "events/counts",
    (
        Column("detector", TEXT, "name of the detector"),
        Column(
            "group",
            TEXT,
            f"`backtrack`, or a group of arrivals: {', '.join(GROUPS)} "
            "(turns as `rules` finds them)",
        ),
        Column("events", COUNT, "number of events", unit="event"),
    ),
    holds="how many events each detector finds, arrivals by group",
)
