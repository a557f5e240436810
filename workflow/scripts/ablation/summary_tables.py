"""Summary tables of the ablation: effects beside random sets, decoded texts."""

from ablation.columns import ABLATION_NAME, PROBABILITY, TARGET, TURN
from ablation.targets import LENGTHS, NAMED, NULLS
from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

ABLATION_EFFECTS = Table(
    "ablation/effects",
    (
        ABLATION_NAME,
        *TARGET,
        Column("boundaries", COUNT, "test boundaries", unit="boundaries"),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends("plain", f"without an ablation: {TURN}", PROBABILITY),
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
        ABLATION_NAME,
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
