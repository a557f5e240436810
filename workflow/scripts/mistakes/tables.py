"""Tables of mistakes: the edits, and what goes on from them."""

import polars as pl

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from mistakes.names import KINDS, PLACES
from pocket.reading import CAUSES, CHOICES

TRACE = Column("trace", TEXT, "id of the thought")
PROBLEM = Column("problem", TEXT, "id of its problem")
PLACE = Column(
    "place",
    TEXT,
    "the sentence that is changed: the first, a middle or the last one with "
    "an equation before the first backtrack, that of the final answer (`final`), or "
    "that of the thought's own false equation (`slip`)",
    values=PLACES,
)
KIND = Column(
    "kind",
    TEXT,
    "what is changed: nothing (`none`, `own`), the words but no number, in the planted "
    "language the equation without the words before it (`paraphrase`), a neutral "
    "sentence follows (`filler`), the result of the equation (`result`), to that of "
    "the opposite operation (`opposite`), a copied number (`operand`), the final "
    "answer (`answer`), a noun (`unit`), `result` with a word after it (`wait`) or as "
    "the user's text (`external`), `result` to a slip of the planted language "
    "(`planted`), a false result to the right one (`mended`)",
    values=KINDS,
)
TOKENS = pl.List(pl.Int32)

EDITS = Table(
    "mistakes/edits",
    (
        TRACE,
        PROBLEM,
        PLACE,
        KIND,
        Column(
            "sentence",
            COUNT,
            "where the sentence begins in the trace's text",
            unit="character",
        ),
        Column(
            "cut",
            COUNT,
            "the character after the sentence: the thought is cut there, or at the end "
            "of the token that holds it",
            unit="character",
        ),
        Column("start", COUNT, "first character that is replaced", unit="character"),
        Column(
            "end",
            COUNT,
            "the character after the last one; `start`: none is replaced",
            unit="character",
        ),
        Column("old", TEXT, "the characters that are replaced"),
        Column("new", TEXT, "the characters that stand there instead"),
        Column("appended", TEXT, "what follows the sentence; empty: nothing"),
        Column("first", COUNT, "first token that is made again", unit="token index"),
        Column(
            "old_tokens",
            TOKENS,
            "ids of the tokens that are replaced",
            unit="token ids",
        ),
        Column(
            "new_tokens",
            TOKENS,
            "ids of the tokens in their place; those of `appended` only for `filler`",
            unit="token ids",
        ),
        Column("kept", COUNT, "tokens of the completion before the cut", unit="tokens"),
    ),
    sort=("problem", "trace", "place", "kind"),
    holds="every change of a thought: its characters and its tokens",
)

DRAW = Column("draw", COUNT, "number of the draw, from 0", unit="index")

MISTAKES = Table(
    "mistakes",
    (
        TRACE,
        PROBLEM,
        PLACE,
        KIND,
        DRAW,
        Column(
            "turned",
            FLAG,
            "the next sentence turns back or doubts; null for `wait`, which does so by "
            "itself, and for `external`",
            nullable=True,
        ),
        Column(
            "noticed",
            FLAG,
            "the next sentence turns back, doubts, or after a mistake states the right "
            "equation or number; null as `turned`",
            nullable=True,
        ),
        Column(
            "restated",
            FLAG,
            "the thought states the right equation or number again after the cut",
        ),
        Column(
            "unit_restated",
            FLAG,
            "the thought states the right number with its unit again after the cut; "
            "null: `unit` changes nothing at this place of the thought",
            nullable=True,
        ),
        Column("correct", FLAG, "the final answer is right"),
        Column(
            "corrected",
            FLAG,
            "`restated` or `correct`; of `operand` and `unit`, which leave the result "
            "right, `restated`; null: nothing is wrong",
            nullable=True,
        ),
        Column("answer", TEXT, "the final answer", nullable=True),
        Column("tokens", COUNT, "new tokens, answer included", unit="tokens"),
        Column(
            "backtracks",
            COUNT,
            "backtracks after the cut, by the study's detector",
            unit="backtracks",
        ),
        Column("closed", FLAG, "the thought has an end"),
        Column("limited", FLAG, "it was cut off at the limit of tokens"),
        Column("looped", FLAG, "it ends in a block that repeats"),
        Column("following", TEXT, "the next sentence; empty: the thought ends"),
    ),
    sort=("problem", "trace", "place", "kind", "draw"),
    holds="continuations of changed thoughts, by place, kind and draw",
)

BOUNDARIES = Table(
    "mistakes/boundaries",
    (
        TRACE,
        PROBLEM,
        PLACE,
        KIND,
        DRAW,
        Column(
            "choice",
            TEXT,
            "what the thought does at the next boundary, as in `truth`; null: it "
            "reaches none, or the sentence there is not of the language",
            nullable=True,
            values=CHOICES,
        ),
        Column(
            "cause",
            TEXT,
            "the planted cause there, as the reader reads it in the changed text; "
            "null: no boundary is reached",
            nullable=True,
            values=CAUSES,
        ),
        Column(
            "planted",
            REAL,
            "planted probability of turning back there; null as `cause`",
            nullable=True,
            unit="probability",
        ),
    ),
    sort=("problem", "trace", "place", "kind", "draw"),
    holds="the next boundary after every change, with the planted probability of "
    "turning back; empty without a planted language",
)
