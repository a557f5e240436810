"""The table of trial points."""

import polars as pl

from doubletake.exit_rules.points import (
    ARRIVAL,
    CUE,
    END,
    EVERY,
    PARAGRAPH,
    SENTENCE,
)
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

TRIAL_STATES = Table(
    "trial_points/states",
    (
        Column("trace", TEXT, "id of the trace"),
        Column(
            "point", COUNT, "an arrival or a cue, as in `trial_points`", unit="index"
        ),
        Column("shard", TEXT, "name of the shard's safetensors file, k-of-n"),
        Column("row", COUNT, "row of the file's tensor `resid`", unit="index"),
    ),
    sort=("trace", "point"),
    holds="the file and row that hold the residual stream before each arrival and cue",
)

TRIAL_POINTS = Table(
    "trial_points",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of the problem"),
        Column(
            "point",
            COUNT,
            "0, 1, ... in the order of the thought; 0: before its first token",
            unit="index",
        ),
        Column(
            "token",
            COUNT,
            "number of tokens of prompt and completion before the point; the trial "
            "follows them",
            unit="tokens",
        ),
        Column(
            "tokens_before", COUNT, "thought tokens before the point", unit="tokens"
        ),
        Column(
            "tokens_read",
            COUNT,
            "thought tokens that must be read to know the point's kinds, arrivals and "
            "cues: at least `tokens_before`; also the next token where it shows that "
            "the sentence has ended, the cue words at a cue, the end marker at the end",
            unit="tokens",
        ),
        Column(SENTENCE, FLAG, "the end of a sentence"),
        Column(PARAGRAPH, FLAG, "the end of a sentence before an empty line"),
        Column(
            CUE,
            FLAG,
            "a new backtrack is known; the point lies before its sentence if the first "
            "words show it, else after it",
        ),
        Column(
            ARRIVAL,
            FLAG,
            "a new arrival is known; the point lies after the sentence that shows it, "
            "or before the backtrack that shows it",
        ),
        Column(EVERY, FLAG, "a multiple of the study's number of thought tokens"),
        Column(END, FLAG, "the end of the thought, closed or cut off"),
        Column(
            "arrivals",
            COUNT,
            "arrivals that the causal detector knows",
            unit="arrivals",
        ),
        Column("cues", COUNT, "backtracks that the causal detector knows", unit="cues"),
        Column(
            "arrival_value",
            TEXT,
            "value of the last of these arrivals",
            nullable=True,
        ),
        Column(
            "left_out",
            COUNT,
            "points of the thought that the limit of points leaves out",
            unit="points",
        ),
        Column("chunk", TEXT, "text of the thought since the point before"),
        Column(
            "suffix_tokens",
            COUNT,
            "tokens of the answer prompt, which are fed at the point before the trial",
            unit="tokens",
        ),
        Column(
            "trial_ids", pl.List(pl.Int32), "the trial answer, greedy", unit="token id"
        ),
        Column(
            "trial_tokens",
            COUNT,
            "number of its tokens, with the one that ends it",
            unit="tokens",
        ),
        Column(
            "trial_logprobs",
            pl.List(pl.Float64),
            "log-prob of each of its tokens",
            unit="nats",
        ),
        Column("trial_text", TEXT, "its text, with the stop text"),
        Column("trial_ended", FLAG, "it ended before the limit of its tokens"),
        Column(
            "answer",
            TEXT,
            "its canonical value, read like an exit's answer; null if it has none",
            nullable=True,
        ),
        Column("correct", FLAG, "the answer has the value of the reference answer"),
        Column(
            "entropy",
            REAL,
            "entropy of the next token after the thought was closed: after the answer "
            "prompt's end marker and the white space behind it",
            unit="bits",
        ),
        Column(
            "marker_logprob",
            REAL,
            "log-prob of the end marker as the next token at the point; of its first "
            "token if it has several",
            unit="nats",
        ),
        Column(
            "marker_rank",
            COUNT,
            "number of tokens that are more likely there than this token",
            unit="tokens",
        ),
        Column(
            "best_other_logprob",
            REAL,
            "log-prob of the most likely token there but this one",
            unit="nats",
        ),
        Column(
            "closing_logprob",
            REAL,
            "log-prob that the model closes the thought there as the answer prompt "
            "does: sum over the tokens up to the end of the marker, white space before "
            "it included",
            unit="nats",
        ),
    ),
    sort=("trace", "point"),
    holds="the points of every thought, what is known there, and the trial answer",
)
