"""Tables of early exit: forced answers, their means, slopes and calibration."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

NO_THOUGHT, ARRIVALS = "no_thought", "arrivals"
CALIBRATION_PARTS = (NO_THOUGHT, ARRIVALS)
SLOPE_MEASURES = ("logit", "whole_logprob")
FIRST_STEP, LATER_STEPS = "first", "later"
ALL_STEPS, WENT_ON = "all", "went_on"

EARLY_EXIT = Table(
    "early_exit",
    (
        Column("trace", TEXT, "id of the trace"),
        Column(
            "exit", COUNT, "0: before any thought; k: after arrival k", unit="index"
        ),
        Column("tokens_before", COUNT, "thought tokens before the exit", unit="tokens"),
        Column(
            "answer",
            TEXT,
            "canonical answer given at the exit, read like a final answer in a box; "
            "null if it has not ended or is empty",
            nullable=True,
        ),
        Column("answer_text", TEXT, "the answer as the model wrote it"),
        Column("correct", FLAG, "the answer has the value of the reference answer"),
        Column("ended", FLAG, "the answer ended before the limit of its tokens"),
        Column(
            "logit",
            REAL,
            "mean raw logit of the answer's tokens, without a token that only ends it; "
            "of the tokens up to the limit if the answer has not ended",
            nullable=True,
            unit="logit",
        ),
        Column(
            "whole_logprob",
            REAL,
            "log-prob of the whole answer: sum over its tokens, plus the log-prob that "
            "it ends there, by any token that begins with the stop text or ends the "
            "completion; null if it has no token or has not ended",
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
            "arrivals",
            COUNT,
            "number of arrivals of each of the group's traces",
            unit="arrivals",
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
            "mean answer logit, when the exits of each trace are scaled to 0 to 1; "
            "traces with fewer than three logits are left out, because scaling would "
            "make them 0 and 1",
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
        Column(
            "difference",
            REAL,
            "mean of the answer logit minus that at exit 1 of the same trace; null at "
            "exit 0, and 0 without an interval at exit 1",
            nullable=True,
            unit="logit",
        ),
        Column(
            "difference_low",
            REAL,
            LOW,
            nullable=True,
            unit="logit",
        ),
        Column(
            "difference_high",
            REAL,
            HIGH,
            nullable=True,
            unit="logit",
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
    holds="means by exit and number of arrivals",
)

EARLY_EXIT_SLOPES = Table(
    "early_exit/slopes",
    (
        Column(
            "measure", TEXT, "a column of the table of exits", values=SLOPE_MEASURES
        ),
        Column(
            "part",
            TEXT,
            "`first`: steps from exit 1 to exit 2; `later`: steps from exit 2 on",
            values=(FIRST_STEP, LATER_STEPS),
        ),
        Column(
            "which",
            TEXT,
            "`all`: of all traces; `went_on`: only steps to an exit after which the "
            "trace has a further exit",
            values=(ALL_STEPS, WENT_ON),
        ),
        Column(
            "slope",
            REAL,
            "mean of the steps: the measure at an exit minus that at the exit before",
            nullable=True,
            unit="logit or nats per arrival",
        ),
        Column(
            "slope_low",
            REAL,
            LOW,
            nullable=True,
            unit="logit or nats per arrival",
        ),
        Column(
            "slope_high",
            REAL,
            HIGH,
            nullable=True,
            unit="logit or nats per arrival",
        ),
        Column("steps", COUNT, "steps: both exits have the measure", unit="steps"),
        Column("traces", COUNT, "traces of these steps", unit="traces"),
        Column("problems", COUNT, "problems of these traces", unit="problems"),
    ),
    holds="how the confidence changes from arrival to arrival within a thought",
)

EARLY_EXIT_CALIBRATION = Table(
    "early_exit/calibration",
    (
        Column(
            "part",
            TEXT,
            "`no_thought`: all exits 0; `arrivals`: all exits from exit 1 on",
            values=CALIBRATION_PARTS,
        ),
        Column(
            "bin",
            COUNT,
            "0, 1, ...: equal counts, by confidence, within the part",
            unit="index",
        ),
        Column("exits", COUNT, "exits in the bin", unit="exits"),
        Column("problems", COUNT, "problems of these exits", unit="problems"),
        Column(
            "lowest",
            REAL,
            "lowest confidence, which is the probability of the whole answer, exp of "
            "`whole_logprob`",
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
    holds="confidence against accuracy, in bins, for exit 0 and for later exits",
)
