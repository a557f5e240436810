"""Tables of early exit: the answer forced at every exit, means, and calibration."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

EARLY_EXIT = Table(
    "early_exit",
    (
        Column("trace", TEXT, "id of the trace"),
        Column(
            "exit", COUNT, "0: before any thought; k: after arrival k", unit="index"
        ),
        Column("tokens_before", COUNT, "thought tokens before the exit", unit="tokens"),
        Column("answer", TEXT, "canonical answer given at the exit", nullable=True),
        Column("correct", FLAG, "the answer equals the gold number"),
        Column(
            "logit",
            REAL,
            "mean raw logit of the answer's tokens",
            nullable=True,
            unit="logit",
        ),
        Column(
            "logprob",
            REAL,
            "sum of the log-probs of the answer's tokens",
            nullable=True,
            unit="nats",
        ),
        Column(
            "margin",
            REAL,
            "top-1 minus top-2 logit at the answer's first token",
            nullable=True,
            unit="logit",
        ),
        Column(
            "entropy",
            REAL,
            "entropy of the distribution at the answer's first token",
            nullable=True,
            unit="nats",
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
        Column(
            "backtracks",
            COUNT,
            "number of backtracks of the group's traces",
            unit="backtracks",
        ),
        Column(
            "exit", COUNT, "0: before any thought; k: after arrival k", unit="index"
        ),
        Column("traces", COUNT, "traces with this exit", unit="traces"),
        Column("problems", COUNT, "problems of these traces", unit="problems"),
        Column("logit", REAL, "mean answer logit", nullable=True, unit="logit"),
        Column(
            "logit_low",
            REAL,
            LOW,
            nullable=True,
            unit="logit",
        ),
        Column(
            "logit_high",
            REAL,
            HIGH,
            nullable=True,
            unit="logit",
        ),
        Column(
            "normalised",
            REAL,
            "mean answer logit, when the exits of each trace are scaled to 0 to 1",
            nullable=True,
            unit="range of the trace",
        ),
        Column(
            "normalised_low",
            REAL,
            LOW,
            nullable=True,
            unit="range of the trace",
        ),
        Column(
            "normalised_high",
            REAL,
            HIGH,
            nullable=True,
            unit="range of the trace",
        ),
        Column("accuracy", REAL, "correct answers among the exits", unit="share"),
        Column(
            "accuracy_low",
            REAL,
            LOW,
            nullable=True,
            unit="share",
        ),
        Column(
            "accuracy_high",
            REAL,
            HIGH,
            nullable=True,
            unit="share",
        ),
        Column(
            "final_accuracy",
            REAL,
            "correct final answers among these traces",
            unit="share",
        ),
        Column(
            "published_logit",
            REAL,
            "published mean logit; null if there is no published number, or the study "
            "has another model or dataset",
            nullable=True,
            unit="logit",
        ),
    ),
    holds="means by exit and number of backtracks",
)

EARLY_EXIT_CALIBRATION = Table(
    "early_exit/calibration",
    (
        Column("bin", COUNT, "0, 1, ...: equal counts, by confidence", unit="index"),
        Column("exits", COUNT, "exits in the bin", unit="exits"),
        Column("problems", COUNT, "problems of these exits", unit="problems"),
        Column(
            "lowest",
            REAL,
            "lowest confidence, which is the probability of the whole answer",
            unit="probability",
        ),
        Column("highest", REAL, "highest confidence", unit="probability"),
        Column("confidence", REAL, "mean confidence", unit="probability"),
        Column(
            "brier", REAL, "mean squared difference of confidence and correctness (0/1)"
        ),
        Column("accuracy", REAL, "correct answers among the exits", unit="share"),
        Column(
            "accuracy_low",
            REAL,
            LOW,
            nullable=True,
            unit="share",
        ),
        Column(
            "accuracy_high",
            REAL,
            HIGH,
            nullable=True,
            unit="share",
        ),
    ),
    holds="confidence against accuracy, in bins",
)
