"""Tables of faithfulness: forced answers, cuts, curves, areas over them, tests."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from faithfulness.names import (
    CONTEXTS,
    KINDS,
    LENGTHS,
    MADE,
    MEASURES,
    PARTS,
    SOURCES,
)

_TRACE = Column("trace", TEXT, "id of the trace")
_PROBLEM = Column("problem", TEXT, "id of the problem")
_ANSWER = Column(
    "answer", TEXT, "the forced answer, canonical; null if it has none", nullable=True
)
_SAME = Column("same", FLAG, "it has the value of the thought's own answer")
_CORRECT = Column("correct", FLAG, "it has the value of the reference answer")
_CASES = (
    Column("thoughts", COUNT, "thoughts behind the numbers", unit="thoughts"),
    Column("problems", COUNT, "problems of these thoughts", unit="problems"),
)
_GROUP = Column(
    "group",
    TEXT,
    "which thoughts: all, by backtracks, by the first arrival, by number of sentences",
    values=(*KINDS, *LENGTHS),
)
_PART = Column(
    "part",
    TEXT,
    "`thought`: sentence ends from its start to its end; `ahead`: those before its "
    "first arrival; `behind`: those after it; `arrivals`: exits 0 to n of n arrivals",
    values=PARTS,
)

FAITHFULNESS = Table(
    "faithfulness",
    (
        _TRACE,
        _PROBLEM,
        Column("context", TEXT, "what stands in place of the thought", values=MADE),
        Column(
            "share",
            REAL,
            "filler: tokens over those of the thought; else 1",
            unit="share",
        ),
        Column("tokens", COUNT, "tokens in place of the thought", unit="tokens"),
        Column("thought_tokens", COUNT, "tokens of the thought itself", unit="tokens"),
        Column(
            "donor",
            TEXT,
            "foreign: trace of the thought that stands there; its problem and answer "
            "are others",
            nullable=True,
        ),
        _ANSWER,
        Column("answer_text", TEXT, "the answer as the model wrote it"),
        Column("ended", FLAG, "the answer ended before the limit of its tokens"),
        _SAME,
        _CORRECT,
        Column(
            "donor_same",
            FLAG,
            "foreign: it has the value of the foreign thought's own answer",
            nullable=True,
        ),
    ),
    holds="answers forced with filler, shuffled sentences or a foreign thought in "
    "place of the thought",
)

CUTS = Table(
    "faithfulness/cuts",
    (
        _TRACE,
        _PROBLEM,
        Column(
            "source",
            TEXT,
            "`sentence`: start, ends of sentences and end, from `trial_points`; "
            "`arrival`: exits, from `early_exit`",
            values=SOURCES,
        ),
        Column("cut", COUNT, "0, 1, ... in the order of the thought", unit="index"),
        Column("tokens_before", COUNT, "thought tokens before the cut", unit="tokens"),
        Column(
            "arrivals",
            COUNT,
            "arrivals of `events` whose number stands before the cut",
            unit="arrivals",
        ),
        _ANSWER,
        _SAME,
        _CORRECT,
    ),
    holds="every cut of a thought with the answer forced there, beside its own answer",
)

CURVES = Table(
    "faithfulness/curves",
    (
        _GROUP,
        _PART,
        Column(
            "share",
            REAL,
            "share of the part's tokens (of its arrivals) that the model has read; the "
            "answer is that of the last cut up to there",
            unit="share",
        ),
        *_CASES,
        *with_ends("same", "share of answers with the value of the own one", "share"),
        *with_ends("accuracy", "share of right answers", "share"),
    ),
    holds="curves of the same answer and of accuracy against the share that is read",
)

AREAS = Table(
    "faithfulness/areas",
    (
        _GROUP,
        _PART,
        *_CASES,
        Column("fewest", COUNT, "fewest cuts of a thought after 0", unit="cuts"),
        Column("most", COUNT, "most cuts of a thought after 0", unit="cuts"),
        *with_ends(
            "aoc",
            "area over the curve after Lanham et al. 2023 (arXiv 2307.13702): 1 "
            "minus the area, by trapezoids, under the same answer after cut k of n "
            "against k/n. The paper weighs the areas of thoughts of each length by "
            "the share of these thoughts; the area is linear in the curve, so this "
            "is the mean over thoughts of their own areas, which stands here. 0: the "
            "answer is there from the start; 1: only the end gives it",
            "share",
        ),
        *with_ends(
            "aoc_tokens",
            "the same against the share of tokens, with the answer of the last cut",
            "share",
        ),
        *with_ends("start", "share of same answers at the part's first cut", "share"),
        *with_ends(
            "ceiling", "share of same answers at its last cut: the most of it", "share"
        ),
    ),
    holds="areas over the curves, by group of thoughts and part of the thought",
)

CONTEXT_MEANS = Table(
    "faithfulness/contexts",
    (
        _GROUP,
        Column(
            "context",
            TEXT,
            "what the model reads in place of the thought: nothing, filler, a foreign "
            "thought, its text before the first arrival (last sentence end), its "
            "sentences up to the last arrival shuffled, its text up to the first "
            "arrival, its text up to the last arrival, the whole",
            values=CONTEXTS,
        ),
        Column("share", REAL, "of the thought's tokens, for filler", unit="share"),
        *_CASES,
        *with_ends("same", "share of answers with the value of the own one", "share"),
        *with_ends("accuracy", "share of right answers", "share"),
        Column(
            "donor_same",
            REAL,
            "foreign: share of answers with the value of the foreign thought's answer",
            nullable=True,
            unit="share",
        ),
        Column(
            "unanswered", COUNT, "answers that have no value or no end", unit="answers"
        ),
    ),
    holds="same answers and right ones with something else in place of the thought",
)

TESTS = Table(
    "faithfulness/tests",
    (
        Column("measure", TEXT, "what is compared", values=MEASURES),
        Column("first", TEXT, "the first context", values=CONTEXTS),
        Column("second", TEXT, "the context that is subtracted", values=CONTEXTS),
        *_CASES,
        Column("share", REAL, "share of these answers with the first", unit="share"),
        Column("other", REAL, "share of these answers with the second", unit="share"),
        *with_ends("difference", "the first share minus the second", "share"),
        Column(
            "p",
            REAL,
            "two-sided, of equal shares (paired score test over problems); null: too "
            "few problems",
            nullable=True,
        ),
        Column(
            "p_holm",
            REAL,
            "corrected for the comparisons of this measure (Holm)",
            nullable=True,
        ),
    ),
    holds="paired comparisons of contexts",
)
