"""Summary tables of mistakes: what is noticed and mended, beside the controls."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table
from mistakes.names import ALL, EXTERNAL, KINDS, PLACES, WAIT
from mistakes.tables import KIND, PLACE


def _tested(name: str, meaning: str) -> tuple[Column, ...]:
    """A difference of paired shares with its test."""
    return (
        *with_ends(name, meaning, "share", nullable=True),
        Column(
            f"{name}_p",
            REAL,
            "p-value of no difference, paired score test over problems; null: too few "
            "problems, or not tested at this place",
            nullable=True,
            unit="probability",
        ),
        Column(
            f"{name}_holm",
            REAL,
            "the same, corrected for the number of tested kinds (Holm)",
            nullable=True,
            unit="probability",
        ),
    )


SUMMARY = Table(
    "mistakes/summary",
    (
        PLACE,
        KIND,
        Column("thoughts", COUNT, "thoughts that were changed", unit="thoughts"),
        Column("problems", COUNT, "their problems", unit="problems"),
        Column("draws", COUNT, "continuations", unit="draws"),
        *with_ends("turned", "next sentence turns back", "share", nullable=True),
        Column(
            "turned_base",
            REAL,
            "the same of the baseline, on the same thoughts and draws",
            nullable=True,
            unit="share",
        ),
        *with_ends("noticed", "noticed in the next sentence", "share", nullable=True),
        *with_ends(
            "restated",
            "the right equation, number or unit is stated again",
            "share",
            nullable=True,
        ),
        Column(
            "restated_base",
            REAL,
            "the same of the baseline, on the same thoughts and draws",
            nullable=True,
            unit="share",
        ),
        *with_ends(
            "corrected",
            "`restated`, or the answer is right; of `operand` and `unit`, which leave "
            "the result right, `restated` alone; null: nothing is wrong",
            "share",
            nullable=True,
        ),
        *with_ends("accuracy", "right final answers", "share", nullable=True),
        *with_ends("tokens", "new tokens per draw", "tokens", nullable=True),
        *with_ends(
            "inflation",
            "tokens over those of the baseline, paired by thought and draw; null for "
            "`external`, which is a whole thought",
            "share",
            nullable=True,
        ),
        *with_ends(
            "after_turn",
            "`corrected` among draws that turn back after the cut",
            "share",
            nullable=True,
        ),
        *with_ends(
            "without_turn",
            "`corrected` among draws that do not turn back",
            "share",
            nullable=True,
        ),
        Column("unclosed", COUNT, "draws without an end of thought", unit="draws"),
        *_tested(
            "turned_over_base",
            "`turned` minus that of the baseline: `none`, or `mended` for `own`",
        ),
        *_tested("turned_over_paraphrase", "`turned` minus that of `paraphrase`"),
        *_tested("turned_over_filler", "`turned` minus that of `filler`"),
        *_tested(
            "restated_over_base",
            "`restated` minus `restated_base`; of `unit`, number and unit in both",
        ),
        *_tested(
            "accuracy_over_base",
            "accuracy minus that of the baseline: what the mistake costs",
        ),
    ),
    holds="shares noticed and corrected, accuracy and length by place and kind, "
    "beside the same thoughts unchanged and the controls",
)

CONTRASTS = Table(
    "mistakes/contrasts",
    (
        Column(
            "contrast",
            TEXT,
            "`external`: the mistake as the user's text, which also begins the thought "
            "anew, beside the same one in the model's own thought, not tested; `wait`: "
            "a word after it against none",
            values=(EXTERNAL, WAIT),
        ),
        Column("problems", COUNT, "problems of the pairs", unit="problems"),
        Column("draws", COUNT, "pairs of draws", unit="draws"),
        *with_ends("own", "corrected in the own thought", "share", nullable=True),
        *with_ends("other", "corrected in the other case", "share", nullable=True),
        *_tested("difference", "`other` minus `own`"),
    ),
    holds="the same mistake as the user's text and with an appended word",
)

PLANTED = Table(
    "mistakes/planted",
    (
        Column(
            "place",
            TEXT,
            "as in `mistakes`; `all`: all places but the final answer",
            values=(ALL, *PLACES),
        ),
        Column("kind", TEXT, "as in `mistakes`", values=KINDS),
        Column("draws", COUNT, "continuations", unit="draws"),
        Column("unreached", COUNT, "of these, without a boundary", unit="draws"),
        Column(
            "unread",
            COUNT,
            "of these, with a boundary at which the sentence is not of the language; "
            "they count as no turn",
            unit="draws",
        ),
        Column("problems", COUNT, "problems of the boundaries", unit="problems"),
        *with_ends("turned", "turns at the next boundary", "share", nullable=True),
        Column(
            "planted",
            REAL,
            "mean planted probability of turning back there",
            nullable=True,
            unit="probability",
        ),
        *with_ends("difference", "`turned` minus `planted`", "share", nullable=True),
        *_tested(
            "over_base",
            "`turned` minus that of the same thoughts unchanged; of `own`, with the "
            "right result",
        ),
    ),
    holds="how often changed thoughts of the planted language turn back at the next "
    "boundary, beside the planted probability",
)
