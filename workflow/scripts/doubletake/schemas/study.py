"""Problems, thoughts on them, and the events in these."""

import polars as pl

from doubletake.schemas.tables import COUNT, FLAG, TEXT, Column, Table

PROBLEMS = Table(
    "problems",
    (
        Column("problem", TEXT, "id: the row's place in its source"),
        Column("question", TEXT, "the problem's text"),
        Column("gold", TEXT, "the canonical number of the reference answer"),
        Column("solution", TEXT, "the reference solution as published"),
    ),
)

TRACES = Table(
    "traces",
    (
        Column("trace", TEXT, "id: problem/sample"),
        Column("problem", TEXT, "id of the problem"),
        Column("sample", COUNT, "0, 1, ...: which thought on the problem"),
        Column("prompt_ids", pl.List(pl.Int32), "token ids of the prompt, one BOS"),
        Column("completion_ids", pl.List(pl.Int32), "token ids of the completion"),
        Column(
            "logprobs",
            pl.List(pl.Float32),
            "log-probability of each completion token at temperature 1, before top-p "
            "(nats); null for an imported trace",
            nullable=True,
        ),
        Column("text", TEXT, "the completion's text, markers included"),
        Column(
            "offsets",
            pl.List(pl.Int32),
            "per completion token: the character of `text` at which it starts",
        ),
        Column(
            "thought_end",
            COUNT,
            "token index of the end-of-thought marker; null if never closed",
            nullable=True,
        ),
        Column("finish", TEXT, "`stop`: ended by itself; `length`: cut off"),
        Column(
            "answer",
            TEXT,
            "canonical final answer, from the text after the thought",
            nullable=True,
        ),
        Column("correct", FLAG, "the answer equals the gold number"),
    ),
)

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
)
