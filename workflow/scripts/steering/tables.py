"""Tables of steering: continuations, whole thoughts, and means by cell and strength."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from steering.names import (
    DIRECTION,
    POSITIONS,
    SETTINGS,
    SHORT_OUTCOMES,
    SOURCES,
    TOWARD,
)

CELL = (
    Column("setting", TEXT, "a cell of the grid, or a published one", values=SETTINGS),
    Column(
        "source",
        TEXT,
        "what was added: `none`; a `direction`; or a vector of the same norm: "
        "`random`, `within` the leading principal components, or of the same recipe "
        "with labels `shuffled`",
        values=SOURCES,
    ),
    Column(
        "direction",
        TEXT,
        "name of the direction, `unit_LAYER_NUMBER` for a value vector; null: `none`, "
        "`random` and `within`",
        nullable=True,
    ),
    Column(
        "boundary",
        COUNT,
        "boundary of the residual stream; null: `none`",
        nullable=True,
        unit="index",
    ),
    Column(
        "positions",
        TEXT,
        "tokens at which it is added; null: `none`",
        nullable=True,
        values=POSITIONS,
    ),
    Column(
        "strength",
        REAL,
        "length of what is added, with sign",
        unit="residual norms",
    ),
)
"""Columns that name a cell."""
DRAW = Column("draw", COUNT, "number of the draw of a control, from 0", unit="index")
CASE = (
    Column("trace", TEXT, "id of the study's thought"),
    Column("problem", TEXT, "id of its problem, one of those to test"),
)
WORDS_OF_TEXT = (
    Column("words", COUNT, "words of the decoded text", unit="words"),
    Column("waits", COUNT, "words of it that are Wait or Hmm", unit="words"),
    *(
        Column(
            f"repeated_{n}",
            REAL,
            f"share of the {n}-grams of its tokens that repeat an earlier one; null: "
            "too few tokens",
            nullable=True,
            unit="share",
        )
        for n in (2, 3)
    ),
    Column(
        "compression",
        REAL,
        "bytes of the text after zlib over bytes before; null: no text",
        nullable=True,
        unit="share",
    ),
    Column("loop", FLAG, "it ends in a block of tokens that repeats itself"),
    Column(
        "logprob",
        REAL,
        "sum of the log-probs of its tokens under the model without steering, at "
        "temperature 1, before top-p; null: not measured",
        nullable=True,
        unit="nats",
    ),
)
"""Columns that measure what was decoded."""
CONTINUATION = (
    *CELL,
    DRAW,
    *CASE,
    Column(
        "kept",
        COUNT,
        "tokens of the study's completion before it, up to the end of the sentence of "
        "an arrival",
        unit="tokens",
    ),
    Column("tokens", COUNT, "tokens that were decoded", unit="tokens"),
    Column("ended", FLAG, "the model ended it before the limit"),
    Column("turned", FLAG, "the detector finds a backtrack that begins in it"),
    Column(
        "probability",
        REAL,
        "probability that its first token is a turn word, with what is added, at "
        "temperature 1, before top-p",
        unit="probability",
    ),
    *WORDS_OF_TEXT,
    Column("text", TEXT, "what was decoded"),
)
ORDER = (
    *("setting", "source", "direction", "boundary", "positions", "strength", "draw"),
    *("problem", "trace"),
)

SCREENING = Table(
    "steering/screening",
    CONTINUATION,
    sort=ORDER,
    holds="continuations of thoughts after an arrival, for every cell of the grid",
)
SHORT = Table(
    "steering/short",
    CONTINUATION,
    sort=ORDER,
    holds="short continuations on other problems, with the chosen direction at every "
    "strength, and with its controls",
)
STEERING = Table(
    "steering",
    (
        *CELL[2:],
        *CASE,
        Column("tokens", COUNT, "tokens of the thought", unit="tokens"),
        Column("decoded", COUNT, "tokens of thought and answer", unit="tokens"),
        Column("closed", FLAG, "the thought has an end"),
        Column("limited", FLAG, "the limit of tokens cut it off"),
        Column(
            "backtracks",
            COUNT,
            "backtracks that the detector finds in the thought",
            unit="backtracks",
        ),
        Column("answer", TEXT, "the final answer", nullable=True),
        Column("correct", FLAG, "it has the value of the reference answer"),
        *WORDS_OF_TEXT,
        Column("text", TEXT, "thought and answer, markers included"),
    ),
    sort=("strength", "problem", "trace"),
    holds="whole thoughts decoded with the chosen direction at every strength",
)

TEXT_MEANS = (
    Column(
        "logprob",
        REAL,
        "mean log-prob of a token under the model without steering",
        nullable=True,
        unit="nats",
    ),
    Column(
        "coherence",
        REAL,
        "e to the power of it: the geometric mean of the tokens' probabilities",
        nullable=True,
        unit="probability",
    ),
    Column(
        "kept",
        REAL,
        "coherence over that of none on the same cases",
        nullable=True,
        unit="share",
    ),
    Column("whole", FLAG, "it keeps enough of the coherence of none", nullable=True),
    Column(
        "wait_share",
        REAL,
        "words that are Wait or Hmm, over all words",
        nullable=True,
        unit="share",
    ),
    *(
        Column(
            name,
            REAL,
            f"mean of `{name}` over the cases",
            nullable=True,
            unit="share",
        )
        for name in ("repeated_2", "repeated_3", "compression")
    ),
    Column("loops", COUNT, "cases that end in a loop", unit="cases"),
)
CELL_MEANS = (
    *CELL,
    Column("draws", COUNT, "draws of a control; 1 for others", unit="draws"),
    Column("cases", COUNT, "continuations", unit="continuations"),
    Column("problems", COUNT, "their problems", unit="problems"),
    *with_ends("turned", "continuations that turn back", "share", nullable=True),
    *with_ends(
        "turned_shift",
        "the same minus that of none, on the same cases",
        "share",
        nullable=True,
    ),
    *with_ends(
        "probability",
        "probability that the first token is a turn word",
        "probability",
        nullable=True,
    ),
    *with_ends(
        "probability_shift",
        "the same minus that of none, on the same cases",
        "probability",
        nullable=True,
    ),
    *(
        Column(f"{outcome}_{end}", REAL, meaning, nullable=True, unit=unit)
        for outcome, unit in (("turned", "share"), ("probability", "probability"))
        for end, meaning in (
            ("lowest", "lowest mean of a draw; null: one draw, or draws take turns"),
            ("highest", "highest mean of a draw"),
            (
                "band_low",
                "lower end of the band that holds the mean of a random vector; null: "
                "too few draws for one",
            ),
            ("band_high", "upper end of the band"),
        )
    ),
    *TEXT_MEANS,
    Column("ended", COUNT, "continuations that the model ended", unit="continuations"),
)
CELLS = Table(
    "steering/cells",
    (
        *CELL_MEANS,
        Column(
            "slope",
            REAL,
            "of a direction at this boundary and these positions: slope of "
            "`probability` on the strength, over its whole cells and none, positive as "
            "the direction says",
            nullable=True,
            unit="per residual norm",
        ),
        Column(
            "score",
            REAL,
            "this slope over the root mean square of those of the random vectors at "
            "the same boundary, positions and lengths; null: no whole cell",
            nullable=True,
            unit="slopes of random vectors",
        ),
        Column(
            "chosen",
            FLAG,
            "the direction, boundary and positions with the largest score; the "
            "strongest whole cell of its side",
        ),
    ),
    holds="screening: turning and coherence of every cell, and the chosen ones",
)
LADDER = Table(
    "steering/ladder",
    (
        *CELL_MEANS,
        *(
            Column(
                f"{outcome}_outside",
                FLAG,
                f"of a direction: `{outcome}` lies outside the band of random vectors "
                "of the same norm; null: there is no band",
                nullable=True,
            )
            for outcome in SHORT_OUTCOMES
        ),
    ),
    holds="the chosen direction at every strength on short continuations, beside "
    "random vectors, shuffled labels and the subspace",
)
SUMMARY = Table(
    "steering/summary",
    (
        *CELL[2:],
        Column("thoughts", COUNT, "thoughts", unit="thoughts"),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends(
            "backtracks",
            "backtracks per 100 tokens of the thoughts",
            "backtracks per 100 tokens",
            nullable=True,
        ),
        *with_ends(
            "backtracks_change",
            "backtracks per 100 tokens of a thought minus those of none, paired",
            "backtracks per 100 tokens",
            nullable=True,
        ),
        *with_ends("tokens", "tokens of a thought", "tokens", nullable=True),
        *with_ends(
            "tokens_change", "the same minus that of none", "tokens", nullable=True
        ),
        *with_ends("accuracy", "right answers", "share", nullable=True),
        *with_ends(
            "accuracy_change", "the same minus that of none", "share", nullable=True
        ),
        Column(
            "accuracy_p",
            REAL,
            "p-value of no change, paired score test over problems; null: too few",
            nullable=True,
            unit="probability",
        ),
        Column(
            "accuracy_holm",
            REAL,
            "the same, corrected for the number of strengths (Holm)",
            nullable=True,
            unit="probability",
        ),
        *with_ends(
            "broken", "thoughts without an end, or in a loop", "share", nullable=True
        ),
        *with_ends(
            "broken_change", "the same minus that of none", "share", nullable=True
        ),
        *TEXT_MEANS,
        Column("unclosed", COUNT, "thoughts without an end", unit="thoughts"),
        Column("limited", COUNT, "thoughts that the limit cut off", unit="thoughts"),
        Column(
            "intact",
            FLAG,
            "text is whole here and at all smaller strengths of this side: coherence "
            "as `whole` says, and not more broken thoughts than with none, as far as "
            "the interval tells",
        ),
    ),
    holds="whole thoughts by strength: turning, length, accuracy, coherence",
)
TRENDS = Table(
    "steering/trends",
    (
        Column(
            "outcome",
            TEXT,
            "`turned` and `probability`: of short continuations; `backtracks`: "
            "backtracks per 100 tokens of whole thoughts",
            values=(*SHORT_OUTCOMES, "backtracks"),
        ),
        Column("strengths", COUNT, "strengths, none included", unit="strengths"),
        Column("problems", COUNT, "problems", unit="problems"),
        Column("rising", COUNT, "problems whose slope is positive", unit="problems"),
        Column("falling", COUNT, "problems whose slope is negative", unit="problems"),
        Column(
            "p",
            REAL,
            "exact sign test of the slopes over problems, two-sided; null: too few "
            "problems",
            nullable=True,
            unit="probability",
        ),
        Column(
            "run",
            COUNT,
            "steps of the longest row of strengths over which the mean never goes back"
            "; none of them has broken text",
            unit="steps",
        ),
        Column("run_rises", FLAG, "the mean rises over this row", nullable=True),
        Column(
            "run_from", REAL, "its first strength", nullable=True, unit="residual norms"
        ),
        Column(
            "run_to", REAL, "its last strength", nullable=True, unit="residual norms"
        ),
    ),
    holds="whether turning rises with the strength",
)
SLOPES = Table(
    "steering/slopes",
    (
        Column("outcome", TEXT, "a column of `steering/short`", values=SHORT_OUTCOMES),
        Column(
            "side",
            TEXT,
            "`toward`: positive strengths and none; `away`: negative ones and none",
            values=("away", TOWARD),
        ),
        Column("strengths", COUNT, "strengths, none included", unit="strengths"),
        Column("problems", COUNT, "problems", unit="problems"),
        Column(
            "slope",
            REAL,
            "least-squares slope of the mean with the chosen direction on the length "
            "of what is added, none included, where text is whole; positive: as the "
            "side says; null: text is whole at no strength",
            nullable=True,
            unit="per residual norm",
        ),
        Column(
            "random_mean",
            REAL,
            "mean slope of the random vectors at these lengths, with the same sign",
            nullable=True,
            unit="per residual norm",
        ),
        Column(
            "random_low",
            REAL,
            "lowest slope of a random vector",
            nullable=True,
            unit="per residual norm",
        ),
        Column(
            "random_high",
            REAL,
            "highest slope of a random vector",
            nullable=True,
            unit="per residual norm",
        ),
        Column("draws", COUNT, "random vectors", unit="draws"),
        Column(
            "p",
            REAL,
            "(1 + random vectors whose slope lies at least as far from the mean) / "
            "(1 + draws); null: too few draws or problems",
            nullable=True,
            unit="probability",
        ),
        Column(
            "holm",
            REAL,
            "the same, corrected for both sides (Holm)",
            nullable=True,
            unit="probability",
        ),
    ),
    holds=f"the chosen {DIRECTION} against random vectors of the same norm",
)
