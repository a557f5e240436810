"""Tables of the ablation: what is taken away, what it changes, beside random sets."""

import polars as pl

from ablation.targets import LENGTHS, MODES, NAMED, NULLS, TARGETS
from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

PROBABILITY = "probability"
_ABLATION = Column(
    "ablation",
    TEXT,
    "name of the ablation: target, size or boundary, mode; `none`: nothing is taken "
    "away",
)
_TARGET = (
    Column("target", TEXT, "what is taken away", values=TARGETS),
    Column(
        "mode",
        TEXT,
        "`project`: the direction is projected out; `zero`: units or heads are set to "
        "0; `mean`: all of these are set to their mean over thoughts of fit problems",
        values=MODES,
    ),
    Column(
        "size",
        COUNT,
        "units, heads or boundaries that are changed",
        unit="units, heads or boundaries",
    ),
    Column(
        "claimed",
        FLAG,
        "the page may claim an effect; Holm's correction counts these ablations only",
    ),
)
_TURN = (
    "mass of the backtrack words at the boundary, as a share of the mass of all tokens "
    "that are not white space"
)

ABLATION_VERSIONS = Table(
    "ablation/versions",
    (
        _ABLATION,
        *_TARGET,
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
            f"{_TURN}; mean over the test boundaries",
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
        Column("turn_probability", REAL, _TURN, unit=PROBABILITY),
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
        _ABLATION,
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

ABLATION_EFFECTS = Table(
    "ablation/effects",
    (
        _ABLATION,
        *_TARGET,
        Column("boundaries", COUNT, "test boundaries", unit="boundaries"),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends("plain", f"without an ablation: {_TURN}", PROBABILITY),
        *with_ends("ablated", "the same with the ablation", PROBABILITY),
        *with_ends("change", "ablated minus plain, paired", PROBABILITY),
        *(
            column
            for null, meaning in (
                ("random", "random sets"),
                ("within", "random vectors within the principal components"),
            )
            for column in (
                Column(
                    f"{null}_draws",
                    COUNT,
                    f"number of {meaning}; null: the ablation has none",
                    nullable=True,
                    unit="draws",
                ),
                *with_ends(
                    f"{null}_mean",
                    f"mean turn probability of the {meaning}",
                    PROBABILITY,
                    nullable=True,
                ),
                Column(
                    f"{null}_least",
                    REAL,
                    f"2.5% of the {meaning} have a lower mean turn probability",
                    nullable=True,
                    unit=PROBABILITY,
                ),
                Column(
                    f"{null}_most",
                    REAL,
                    "2.5% have a higher one",
                    nullable=True,
                    unit=PROBABILITY,
                ),
                Column(
                    f"{null}_as_low",
                    COUNT,
                    f"{meaning} whose mean turn probability is at most that of the "
                    "ablation",
                    nullable=True,
                    unit="draws",
                ),
                *with_ends(
                    f"over_{null}",
                    f"ablated minus the mean of the {meaning}, paired",
                    PROBABILITY,
                    nullable=True,
                ),
            )
        ),
        Column(
            "written_ratio",
            REAL,
            "what the ablated units or heads write over the mean of their random sets",
            nullable=True,
            unit="ratio",
        ),
        Column(
            "p",
            REAL,
            "(as_low + 1) / (draws + 1), the larger of both nulls; null: no random set",
            nullable=True,
            unit=PROBABILITY,
        ),
        Column(
            "p_holm",
            REAL,
            "p, corrected for the number of claimed ablations (Holm); null: no claim",
            nullable=True,
            unit=PROBABILITY,
        ),
    ),
    holds="the change of the turn probability by ablation, ranked among random sets",
)

ABLATION_RATES = Table(
    "ablation/rates",
    (
        Column("length", TEXT, "what was decoded", values=LENGTHS),
        _ABLATION,
        Column(
            "null",
            TEXT,
            "`named`: the ablation itself; otherwise its random sets",
            values=(NAMED, *NULLS),
        ),
        Column("n", COUNT, "decoded texts", unit="texts"),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends(
            "turns",
            "continuations: share that turns back; thoughts: backtracks per 100 tokens",
            "share, or backtracks per 100 tokens",
            nullable=True,
        ),
        *with_ends(
            "turns_change",
            "continuations: that share minus the one without an ablation; thoughts: "
            "backtracks per thought minus those without",
            "share, or backtracks",
            nullable=True,
        ),
        *with_ends("logprob", "mean of `logprob`", "nats", nullable=True),
        *with_ends(
            "logprob_change",
            "`logprob` minus that without an ablation, paired",
            "nats",
            nullable=True,
        ),
        *with_ends("tokens", "decoded tokens per text", "tokens", nullable=True),
        Column(
            "repetition_2",
            REAL,
            "mean of `repetition_2`",
            nullable=True,
            unit="share",
        ),
        Column(
            "repetition_3",
            REAL,
            "mean of `repetition_3`",
            nullable=True,
            unit="share",
        ),
        Column("loops", COUNT, "texts that end in a loop", unit="texts"),
        Column("unclosed", COUNT, "texts without an end of the thought", unit="texts"),
        Column("unreadable", COUNT, "of these, tokens that are no text", unit="texts"),
        *with_ends(
            "accuracy", "right answers; null: continuations", "share", nullable=True
        ),
        *with_ends(
            "accuracy_change",
            "accuracy minus that without an ablation, paired; null: continuations",
            "share",
            nullable=True,
        ),
    ),
    holds="turns, coherence and accuracy of the decoded texts, by ablation",
)
