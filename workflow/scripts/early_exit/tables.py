"""Answers forced at every arrival."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

EARLY_EXIT = Table(
    "early_exit",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("exit", COUNT, "0: before any thought; k: after arrival k"),
        Column("tokens_before", COUNT, "thought tokens spent before the exit"),
        Column("answer", TEXT, "canonical answer given at the exit", nullable=True),
        Column("correct", FLAG, "the answer equals the gold number"),
        Column("logit", REAL, "mean raw logit of the answer's tokens", nullable=True),
        Column(
            "logprob", REAL, "sum of the answer tokens' log-probs (nats)", nullable=True
        ),
        Column(
            "margin", REAL, "top-1 minus top-2 logit of the first token", nullable=True
        ),
        Column(
            "entropy", REAL, "of the first token's distribution (nats)", nullable=True
        ),
    ),
    sort=(
        "trace",
        "exit",
    ),
    holds="the answer forced at every exit: right or wrong, logit, log-prob, "
    "margin, entropy",
)

EARLY_EXIT_SUMMARY = Table(
    "early_exit/summary",
    (
        Column("backtracks", COUNT, "number of backtracks of the traces"),
        Column("exit", COUNT, "0: before any thought; k: after arrival k"),
        Column("traces", COUNT, "traces with this exit"),
        Column("problems", COUNT, "problems they are on"),
        Column("logit", REAL, "mean answer logit", nullable=True),
        Column("logit_low", REAL, "bootstrap over problems", nullable=True),
        Column("logit_high", REAL, "bootstrap over problems", nullable=True),
        Column(
            "normalised",
            REAL,
            "mean answer logit, each trace's exits scaled to 0 to 1",
            nullable=True,
        ),
        Column("normalised_low", REAL, "bootstrap over problems", nullable=True),
        Column("normalised_high", REAL, "bootstrap over problems", nullable=True),
        Column("accuracy", REAL, "share of correct answers"),
        Column("accuracy_low", REAL, "Wilson interval, n = problems"),
        Column("accuracy_high", REAL, "Wilson interval, n = problems"),
        Column("final_accuracy", REAL, "share of these traces that end correctly"),
        Column(
            "published_logit",
            REAL,
            "published mean logit; null where none, or another model or dataset",
            nullable=True,
        ),
    ),
    holds="means by exit and number of backtracks",
)

EARLY_EXIT_CALIBRATION = Table(
    "early_exit/calibration",
    (
        Column("bin", COUNT, "0, 1, ...: equal counts, by confidence"),
        Column("exits", COUNT, "exits in the bin"),
        Column("problems", COUNT, "problems they are on"),
        Column("lowest", REAL, "lowest confidence, probability of the whole answer"),
        Column("highest", REAL, "highest confidence"),
        Column("confidence", REAL, "mean confidence"),
        Column("brier", REAL, "mean squared difference of confidence and truth"),
        Column("accuracy", REAL, "share of correct answers"),
        Column("accuracy_low", REAL, "Wilson interval, n = problems"),
        Column("accuracy_high", REAL, "Wilson interval, n = problems"),
    ),
    holds="confidence against accuracy, in bins",
)
