"""The table of traces: thoughts on the problems, token by token."""

import polars as pl

from doubletake.tables.table import COUNT, FLAG, TEXT, Column, Table

TRACES = Table(
    "traces",
    (
        Column("trace", TEXT, "id: problem/sample"),
        Column("problem", TEXT, "id of the problem"),
        Column(
            "sample",
            COUNT,
            "number of the thought on its problem, from 0",
            unit="index",
        ),
        Column(
            "prompt_ids",
            pl.List(pl.Int32),
            "the prompt, as the chat template gives it",
            unit="token id",
        ),
        Column("completion_ids", pl.List(pl.Int32), "the completion", unit="token id"),
        Column(
            "logprobs",
            pl.List(pl.Float32),
            "log-probability of each completion token at temperature 1, before top-p; "
            "null for an imported trace",
            nullable=True,
            unit="nats",
        ),
        Column("text", TEXT, "the completion's text, markers included"),
        Column(
            "offsets",
            pl.List(pl.Int32),
            "start of each completion token in `text`",
            unit="character",
        ),
        Column(
            "thought_start", COUNT, "start of the thought in `text`", unit="character"
        ),
        Column(
            "thought_stop",
            COUNT,
            "end of the thought in `text`: the character after it, before the end "
            "marker and its line break",
            unit="character",
        ),
        Column(
            "thought_end",
            COUNT,
            "the token in which the end-of-thought marker begins, counted from the "
            "start of the prompt; null if the thought was never closed; the first "
            "token of a completion without a thought",
            nullable=True,
            unit="token index",
        ),
        Column(
            "answer_start",
            COUNT,
            "the character of `text` after the end-of-thought marker; null if the "
            "thought was never closed",
            nullable=True,
            unit="character",
        ),
        Column("finish", TEXT, "`stop`: the model ended it; `length`: it was cut off"),
        Column(
            "answer",
            TEXT,
            "final answer, from the text after the thought: a canonical number or "
            "letter, or the text as it is where it is neither",
            nullable=True,
        ),
        Column("correct", FLAG, "the answer has the value of the reference answer"),
    ),
    sort=(
        "problem",
        "sample",
    ),
    holds="thoughts: token ids, log-probs, text, character of every token, answer",
)
