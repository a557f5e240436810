"""Tables of the ablation: what is taken away, what it changes, beside random sets."""

import polars as pl

from ablation.columns import ABLATION_NAME, PROBABILITY, TARGET, TURN
from ablation.summary_tables import ABLATION_EFFECTS, ABLATION_RATES
from ablation.targets import LENGTHS, NAMED, NULLS
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

__all__ = [
    "ABLATION",
    "ABLATION_DECODED",
    "ABLATION_EFFECTS",
    "ABLATION_RATES",
    "ABLATION_SETS",
    "ABLATION_VERSIONS",
]

ABLATION_VERSIONS = Table(
    "ablation/versions",
    (
        ABLATION_NAME,
        *TARGET,
        Column(
            "boundary",
            COUNT,
            "the only boundary at which the direction is projected out; null: every "
            "one, or no direction",
            nullable=True,
            unit="index",
        ),
        Column(
            "projection",
            REAL,
            "mean of the states along the direction after arrivals of fit problems, "
            "and over boundaries; null: units or heads",
            nullable=True,
            unit="residual norms",
        ),
        Column(
            "candidates",
            COUNT,
            "units or heads among which it is chosen; null: a direction",
            nullable=True,
            unit="units or heads",
        ),
        Column(
            "replaceable",
            COUNT,
            "units or heads for which random ones could be drawn; the others are in "
            "every random set; null: a direction",
            nullable=True,
            unit="units or heads",
        ),
        Column(
            "why_not",
            TEXT,
            "why it is not measured; null: it is",
            nullable=True,
        ),
    ),
    holds="the ablations of the study, and those that could not be made",
)

ABLATION_SETS = Table(
    "ablation/sets",
    (
        Column(
            "ablation",
            TEXT,
            "name of the ablation; directions of one reach share random ones, named "
            "`directions/...`",
        ),
        Column(
            "null",
            TEXT,
            "`named`: the ablation itself; `random`: random vectors, or units or heads "
            "that write as much; `within`: random vectors in the span of the "
            "leading principal components of the residual stream",
            values=(NAMED, *NULLS),
        ),
        Column("draw", COUNT, "0: the ablation itself; 1, 2, ...", unit="index"),
        Column(
            "layers",
            pl.List(pl.Int32),
            "layers of the units or heads; boundaries of a direction",
            unit="index",
        ),
        Column(
            "members",
            pl.List(pl.Int32),
            "the units or heads, in the order of `layers`; empty: a direction",
            unit="index",
        ),
        Column(
            "written",
            REAL,
            "sum over the units or heads of the mean norm of what they write after "
            "arrivals of the fit problems; null: a direction",
            nullable=True,
            unit="residual stream",
        ),
        Column("boundaries", COUNT, "test boundaries", unit="boundaries"),
        Column(
            "turn_probability",
            REAL,
            f"{TURN}; mean over the test boundaries",
            unit=PROBABILITY,
        ),
    ),
    holds="each ablation and its random sets: what they take away, and the mean "
    "probability of turning back",
)

ABLATION = Table(
    "ablation",
    (
        Column(
            "ablation",
            TEXT,
            "as in `ablation/sets`; `none`: nothing is taken away",
        ),
        Column(
            "null",
            TEXT,
            "as in `ablation/sets`; the row of random sets is the mean over all draws",
            values=(NAMED, *NULLS),
        ),
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem, one of the test problems"),
        Column("event", COUNT, "the arrival before the boundary", unit="index"),
        Column(
            "position",
            COUNT,
            "last token of the arrival's sentence; the change acts here",
            unit="token index",
        ),
        Column("turn_probability", REAL, TURN, unit=PROBABILITY),
    ),
    holds="the probability of turning back right after an arrival, by boundary",
)

_COHERENCE = (
    Column("tokens", COUNT, "tokens that were decoded", unit="tokens"),
    Column(
        "closed",
        FLAG,
        "the thought has an end; false: the limit of tokens ended it",
    ),
    Column(
        "logprob",
        REAL,
        "mean log-prob of the decoded tokens under the plain model; null: no token",
        nullable=True,
        unit="nats",
    ),
    Column(
        "repetition_2",
        REAL,
        "decoded 2-grams that repeat an earlier one; null: too few tokens",
        nullable=True,
        unit="share",
    ),
    Column(
        "repetition_3",
        REAL,
        "the same of 3-grams",
        nullable=True,
        unit="share",
    ),
    Column("loops", FLAG, "the text ends in a block that repeats"),
)

ABLATION_DECODED = Table(
    "ablation/decoded",
    (
        Column("length", TEXT, "what was decoded", values=LENGTHS),
        ABLATION_NAME,
        Column(
            "null",
            TEXT,
            "`named`: the ablation itself; otherwise a random set of it, another one "
            "in every row",
            values=(NAMED, *NULLS),
        ),
        Column("draw", COUNT, "the random set; 0: the ablation itself", unit="index"),
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem, one of the test problems"),
        Column(
            "event",
            COUNT,
            "the arrival before the continuation; null: a whole thought",
            nullable=True,
            unit="index",
        ),
        Column(
            "backtracks",
            COUNT,
            "backtracks that the detector finds in the decoded text",
            unit="backtracks",
        ),
        Column(
            "readable",
            FLAG,
            "the tokens are a text; false: they are not, so there is no backtrack, no "
            "end and no answer in it",
        ),
        *_COHERENCE,
        Column(
            "correct",
            FLAG,
            "a whole thought: its answer has the value of the reference answer",
            nullable=True,
        ),
        Column("text", TEXT, "the decoded text, markers included"),
    ),
    holds="continuations after an arrival and whole thoughts, decoded with ablations",
)
