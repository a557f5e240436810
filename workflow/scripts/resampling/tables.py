"""Tables of resampling: boundaries, draws, stability, prediction, importance."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from resampling.names import (
    KINDS,
    MEASURES,
    PARTS,
    SCORES,
    SENTENCE_KINDS,
    SUMMARY_KINDS,
)

TRACE = Column("trace", TEXT, "id of the study's thought")
PROBLEM = Column("problem", TEXT, "id of its problem")
POSITION = Column(
    "position",
    COUNT,
    "the token that predicts the next sentence's first token; all tokens up to it are "
    "the study's own",
    unit="token index",
)


def _probability(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return Column(name, REAL, meaning, nullable=nullable, unit="probability")


RESAMPLING = Table(
    "resampling",
    (
        TRACE,
        PROBLEM,
        Column(
            "event",
            COUNT,
            "of a backtrack or matched control: number of the event, as in `turns`; "
            "else null",
            nullable=True,
            unit="index",
        ),
        Column(
            "kind",
            TEXT,
            "`backtrack` (selected), `control` (matched with one of them) or `arrival` "
            "(right after the sentence of an arrival, where the thought does not turn)",
            values=KINDS,
        ),
        POSITION,
        Column("turned", FLAG, "the study's thought turns back there"),
        Column(
            "draws",
            COUNT,
            "times that the thought was written again from there; 0: thoughts from a "
            "file are not",
            unit="draws",
        ),
        Column(
            "turns",
            COUNT,
            "draws whose next sentence turns back, by the study's detector",
            unit="draws",
        ),
        Column(
            "unfinished",
            COUNT,
            "draws whose next sentence does not end within the limit of tokens; they "
            "are judged by what is there",
            unit="draws",
        ),
        Column(
            "rate",
            REAL,
            "turns / draws; null without a draw",
            nullable=True,
            unit="share",
        ),
        Column(
            "low",
            REAL,
            "lower end of the interval of the rate (Wilson), over draws",
            nullable=True,
            unit="share",
        ),
        Column("high", REAL, "upper end", nullable=True, unit="share"),
        _probability(
            "mass",
            "that a backtrack word comes next, at temperature 1: the mass of the turn "
            "words, as a share of that of all tokens that are not white space",
        ),
        _probability(
            "sampled_mass",
            "the same at the temperature and top-p of the draws; null: top-p leaves "
            "white space only",
            nullable=True,
        ),
        Column(
            "probe",
            REAL,
            "score of the study's matched probe at the position, fitted without this "
            "problem; null without one",
            nullable=True,
            unit="log-odds",
        ),
        _probability(
            "planted",
            "of turning back there, as planted; null without a planted language, and "
            "where the reader sees no boundary",
            nullable=True,
        ),
    ),
    sort=("problem", "trace", "position"),
    holds="boundaries before a sentence, and how often thoughts that are written again "
    "from there turn back",
)

RESAMPLING_DRAWS = Table(
    "resampling/draws",
    (
        TRACE,
        PROBLEM,
        Column("kind", TEXT, "of the boundary, as in `resampling`", values=KINDS),
        POSITION,
        Column("draw", COUNT, "number of the draw, from 0", unit="index"),
        Column("turns", FLAG, "its next sentence turns back"),
        Column("ended", FLAG, "its next sentence ends within the limit of tokens"),
        Column("text", TEXT, "its next sentence; empty if the thought ends there"),
    ),
    sort=("problem", "trace", "position", "draw"),
    holds="the next sentence of every draw, and whether it turns back",
)

RESAMPLING_ROLLOUTS = Table(
    "resampling/rollouts",
    (
        TRACE,
        PROBLEM,
        Column(
            "before",
            COUNT,
            "sentences of the study's thought that are kept; the rollout writes the "
            "sentence of this number again, counted from 0, and all that follows",
            unit="sentences",
        ),
        Column("draw", COUNT, "number of the draw, from 0", unit="index"),
        Column("text", TEXT, "its first sentence; empty if the thought ends there"),
        Column("tokens", COUNT, "its tokens", unit="tokens"),
        Column("closed", FLAG, "the thought has an end"),
        Column("answer", TEXT, "its final answer", nullable=True),
        Column("correct", FLAG, "the answer has the value of the reference answer"),
    ),
    sort=("problem", "trace", "before", "draw"),
    holds="whole thoughts that go on from a sentence's start, with their answers",
)

RESAMPLING_SENTENCES = Table(
    "resampling/sentences",
    (
        TRACE,
        PROBLEM,
        Column("sentence", COUNT, "number in the thought, from 0", unit="index"),
        Column("start", COUNT, "where it begins in the trace's text", unit="character"),
        Column("end", COUNT, "the character after its last one", unit="character"),
        Column(
            "kind",
            TEXT,
            "`arrival` (holds one), `backtrack` (begins one) or `other`",
            values=SENTENCE_KINDS,
        ),
        Column(
            "cause",
            FLAG,
            "it holds a planted cause to turn back later, whether the thought turns or "
            "not; null without a planted language",
            nullable=True,
        ),
        Column("before", COUNT, "rollouts from before the sentence", unit="rollouts"),
        Column("after", COUNT, "rollouts from after it", unit="rollouts"),
        Column("accuracy_before", REAL, "right answers before", unit="share"),
        Column("accuracy_after", REAL, "right answers after", unit="share"),
        Column(
            "resampled",
            REAL,
            "resampling importance: accuracy after minus before; positive: the "
            "sentence leads to the right answer",
            unit="share",
        ),
        Column(
            "resampled_low",
            REAL,
            "lower end of its interval over rollouts (Newcombe)",
            unit="share",
        ),
        Column("resampled_high", REAL, "upper end", unit="share"),
        Column(
            "dissimilar",
            COUNT,
            "rollouts from before whose first sentence is unlike this one",
            unit="rollouts",
        ),
        Column(
            "counterfactual",
            REAL,
            "counterfactual importance: accuracy of these rollouts minus accuracy "
            "after; negative: the sentence leads to the right answer (the opposite "
            "sign of `resampled`, as published); null without such a rollout",
            nullable=True,
            unit="share",
        ),
        Column(
            "forced",
            REAL,
            "forced importance: whether the answer that is forced after the sentence "
            "is right, minus the same before it; null: not both are known",
            nullable=True,
            unit="share",
        ),
        Column(
            "divergence",
            REAL,
            "Kullback-Leibler divergence of the answers before from those after, with "
            "Laplace smoothing",
            unit="nats",
        ),
        Column(
            "divergence_null",
            REAL,
            "its mean if the same rollouts are parted at random",
            unit="nats",
        ),
    ),
    sort=("problem", "trace", "sentence"),
    holds="the importance of every sentence of some thoughts, by four definitions",
)

RESAMPLING_SUMMARY = Table(
    "resampling/summary",
    (
        Column("kind", TEXT, "of the boundary; `all`", values=SUMMARY_KINDS),
        Column("boundaries", COUNT, "boundaries", unit="boundaries"),
        Column("problems", COUNT, "their problems", unit="problems"),
        Column("draws", COUNT, "all their draws", unit="draws"),
        Column("unfinished", COUNT, "draws without an end of sentence", unit="draws"),
        *with_ends("rate", "mean share of draws that turn back", "share"),
        *with_ends(
            "unstable",
            "boundaries at which fewer draws than the config's share do as the "
            "study's thought did (published measure, for backtracks)",
            "share",
        ),
        *with_ends(
            "any",
            "boundaries at which at least one draw does not do as the study's thought "
            "did; grows with the number of draws",
            "share",
        ),
        *with_ends(
            "mixed",
            "boundaries whose interval of the rate holds neither 0 nor 1: draws of "
            "both sorts; grows with the number of draws",
            "share",
        ),
        *with_ends(
            "differs",
            "chance that a draw does not do as the study's thought did",
            "share",
        ),
        *with_ends(
            "disagree",
            "chance that two draws differ, mean of 2 k (n - k) / (n (n - 1)); does "
            "not depend on n",
            "share",
            nullable=True,
        ),
        *with_ends("mass", "mean of `mass`", "probability"),
        *with_ends("planted", "mean of `planted`", "probability", nullable=True),
    ),
    holds="stability of turns, by kind of boundary",
)

RESAMPLING_STABILITY = Table(
    "resampling/stability",
    (
        Column("kind", TEXT, "of the boundary; `all`", values=SUMMARY_KINDS),
        Column("n", COUNT, "number of draws", unit="draws"),
        Column(
            "any",
            REAL,
            "expected share of boundaries at which at least one of n draws does not do "
            "as the study's thought did",
            unit="share",
        ),
        Column(
            "mixed",
            REAL,
            "expected share of boundaries at which n draws are of both sorts",
            unit="share",
        ),
    ),
    holds="how the share of unstable boundaries grows with the number of draws",
)

RESAMPLING_PREDICTION = Table(
    "resampling/prediction",
    (
        Column("score", TEXT, "a column of `resampling`", values=SCORES),
        Column(
            "part",
            TEXT,
            "`all` boundaries, one kind, or `within`: all, ranked within their kind",
            values=PARTS,
        ),
        Column(
            "boundaries", COUNT, "boundaries that have the score", unit="boundaries"
        ),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends(
            "spearman",
            "rank correlation of the score with the resampled rate; null: one of them "
            "does not vary",
            "correlation",
            nullable=True,
        ),
        Column(
            "p",
            REAL,
            "p-value of no correlation, jackknife over problems; null: too few",
            nullable=True,
            unit="probability",
        ),
        Column(
            "p_holm",
            REAL,
            "of `within`: the same, corrected for the number of scores (Holm); else "
            "null",
            nullable=True,
            unit="probability",
        ),
        Column(
            "reliability",
            REAL,
            "rank correlation of two halves of the draws, stepped up to all draws "
            "(Spearman-Brown); null: not above 0, or no variation",
            nullable=True,
            unit="correlation",
        ),
        Column(
            "corrected",
            REAL,
            "`spearman` over the root of the reliability: an estimate without the "
            "noise of the draws, which may exceed 1",
            nullable=True,
            unit="correlation",
        ),
        *with_ends(
            "auroc",
            "detection: AUROC of the score for `turned`; null where all or none "
            "turned, and for `within`",
            "share",
            nullable=True,
        ),
    ),
    holds="how well scores predict the resampled rate, beside how well they detect "
    "the study's own turns",
)

RESAMPLING_IMPORTANCE = Table(
    "resampling/importance",
    (
        Column("measure", TEXT, "a column of `sentences`", values=MEASURES),
        Column(
            "kind",
            TEXT,
            "kind of sentence; `cause`: holds a planted cause to turn back, "
            "`no_cause`: does not",
            values=(*SENTENCE_KINDS, "cause", "no_cause"),
        ),
        Column("sentences", COUNT, "sentences that have the measure", unit="sentences"),
        Column("problems", COUNT, "their problems", unit="problems"),
        *with_ends("value", "mean over sentences", "as the measure", nullable=True),
        *with_ends(
            "size",
            "how much sentences matter: mean of the squared measure, without what the "
            "noise of the rollouts adds; of `divergence`: minus `divergence_null`",
            "square of the measure, or nats",
            nullable=True,
        ),
        *with_ends(
            "difference",
            "`value` minus that of `other` (of `cause`: that of `no_cause`); null for "
            "these; of `divergence`, the difference of `size`",
            "as the measure",
            nullable=True,
        ),
        Column(
            "p",
            REAL,
            "p-value of no difference, jackknife over problems; null: too few",
            nullable=True,
            unit="probability",
        ),
        Column(
            "p_holm",
            REAL,
            "the same, corrected for the number of tests in this table (Holm)",
            nullable=True,
            unit="probability",
        ),
    ),
    holds="mean importance of sentences by kind, and by whether they hold the planted "
    "cause",
)
