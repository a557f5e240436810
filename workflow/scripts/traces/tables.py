"""Thoughts on the problems, token by token."""

import polars as pl

from doubletake.tables.table import COUNT, FLAG, TEXT, Column, Table

TRACES = Table(
    "traces",
    (
        Column("trace", TEXT, "id: problem/sample"),
        Column("problem", TEXT, "id of the problem"),
        Column("sample", COUNT, "0, 1, ...: which thought on the problem"),
        Column(
            "prompt_ids",
            pl.List(pl.Int32),
            "token ids of the prompt, as the chat template gives",
        ),
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
            "thought_start",
            COUNT,
            "the character of `text` at which the thought starts",
        ),
        Column(
            "thought_stop",
            COUNT,
            "the character of `text` behind the thought, before the end marker and its "
            "line break",
        ),
        Column(
            "thought_end",
            COUNT,
            "index of the token in which the end-of-thought marker begins; null if the "
            "thought was never closed; the first token of a completion without thought",
            nullable=True,
        ),
        Column(
            "answer_start",
            COUNT,
            "the character of `text` behind the end-of-thought marker; null if the "
            "thought was never closed",
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
    sort=(
        "problem",
        "sample",
    ),
    holds="thoughts: token ids, log-probs, text, character of every token, answer",
)
