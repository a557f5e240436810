"""Tables of the loop: every backtrack with all methods, and how they agree."""

from dataclasses import replace

from doubletake.tables.interval_ends import HIGH, LOW, with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from loop.methods import RANKINGS, STATISTICS, TARGETS

NATS = "nats"
KEY = (
    Column("trace", TEXT, "id of the trace"),
    Column("problem", TEXT, "id of its problem"),
    Column("event", COUNT, "number of the event within the trace", unit="index"),
    Column(
        "position",
        COUNT,
        "the token that predicts the backtrack's first token",
        unit="token index",
    ),
)


def _maybe(name: str, meaning: str, unit: str = NATS) -> Column:
    return Column(name, REAL, meaning, nullable=True, unit=unit)


def _word(name: str, meaning: str) -> Column:
    return Column(name, TEXT, meaning, nullable=True)


_NOT_HERE = "null: the problem gave the direction and the sets, or there is none"
EFFECTS = (
    Column(
        "log_odds",
        REAL,
        "log-odds of the backtrack words as the next token, against all other tokens "
        "that are not white space; exact, nothing is changed",
        unit=NATS,
    ),
    Column("mass", REAL, "probability that belongs to `log_odds`", unit="probability"),
    _maybe(
        "value_vectors",
        "what the listed value vectors of the side `for` write along the probe's "
        "direction at the position: sum of activation times norm times cosine; null: "
        "the study lists none",
        "residual stream",
    ),
    Column(
        "part",
        TEXT,
        "part of the problem in `directions`: `fit` or `test`; interventions are made "
        "at events of test problems only",
        values=("fit", "test"),
    ),
    _maybe(
        "steering",
        "change of `log_odds` when the direction is added at the position; "
        f"{_NOT_HERE}",
    ),
    _maybe("steering_random", "the same with random vectors of this length, mean"),
    _maybe(
        "units_support",
        "fall of `log_odds` when the units are set to 0 at the position; positive: "
        f"they support the turn; {_NOT_HERE}",
    ),
    _maybe("units_random", "the same with random sets that write as much, mean"),
    _maybe("heads_support", "as `units_support`, of the heads"),
    _maybe("heads_random", "the same with random sets that write as much, mean"),
)

LOOP_EFFECTS = Table(
    "loop/effects",
    (*KEY, *EFFECTS),
    sort=("trace", "event"),
    holds="what interventions at the token before each backtrack change, exactly",
)

LOOP = Table(
    "loop",
    (
        *KEY,
        *(replace(column, nullable=True) for column in EFFECTS),
        _maybe(
            "lens",
            "log-odds of the backtrack words by the logit lens, at the boundary of "
            "`loop.lens_layer`; null: not measured",
        ),
        _maybe(
            "heads_write",
            "direct logit attribution of the leading heads to the backtrack words, sum "
            "(`attention.dla_backtrack`)",
            "logit",
        ),
        _maybe(
            "probe",
            "score by the matched probe that has not seen the problem, at the boundary "
            "of highest selectivity; null: no matched pair holds the event",
            "log-odds",
        ),
        _maybe("rate", "resampled continuations that turn back", "share"),
        Column("turns", COUNT, "their number", nullable=True, unit="continuations"),
        Column(
            "draws", COUNT, "all continuations", nullable=True, unit="continuations"
        ),
        _word("top_word", "the word with the largest estimated score"),
        _maybe("top_score", "its score (`max_abs`)", "nats or logits"),
        _word("top_in", "where it stands: `question` or `thought`"),
        _maybe(
            "concentration",
            "sum of the scores of the ten most important words, as a share of the sum "
            "over all tokens",
            "share",
        ),
        _maybe("question_share", "the same share of the question's tokens", "share"),
        _word("exact_word", "the word with the largest exact effect"),
        _maybe(
            "exact_support",
            "fall of the metric when this word is replaced by its mean; positive: the "
            "word supports the turn",
            "nats or logits",
        ),
        Column(
            "exact_agrees",
            FLAG,
            "the same word is also the first of the measured ones by the estimate",
            nullable=True,
        ),
        _maybe(
            "arrival_attention",
            "attention to the sentence of the last arrival, mean over layers and heads",
            "share",
        ),
        _maybe(
            "look_back",
            "attention of the next words to the important words minus that to matched "
            "words",
            "share",
        ),
        _word("answer_before", "answer forced after the last arrival before the turn"),
        _word(
            "answer_after",
            "answer forced after the next arrival; the thought's own answer if there "
            "is none",
        ),
        Column("correct_before", FLAG, "the answer before is right", nullable=True),
        Column("correct_after", FLAG, "the answer after is right", nullable=True),
        _maybe("confidence", "log-prob of the answer before"),
        _maybe("confidence_after", "log-prob of the answer after a next arrival"),
        Column("shifted", FLAG, "the two answers differ", nullable=True),
        Column("mended", FLAG, "wrong before and right after", nullable=True),
        Column("spoiled", FLAG, "right before and wrong after", nullable=True),
        Column(
            "cause",
            TEXT,
            "planted cause of the turn, or `none`; null: no planted language, or not "
            "read as a turn of it",
            nullable=True,
            values=("slip", "distractor", "open_word", "none"),
        ),
        Column("has_cause", FLAG, "a planted cause holds", nullable=True),
        _maybe("planted", "planted probability of turning", "probability"),
        _maybe(
            "twin_effect",
            "the model's probability of turning with the cause minus that of the twin "
            "without it",
            "probability",
        ),
    ),
    holds="one row per selected backtrack with the numbers of all methods; null where "
    "a method has not looked at the event",
)

_P = Column(
    "p",
    REAL,
    "two-sided p-value of no relation, from the same jackknife over problems; null: no "
    "interval, or both of one family",
    nullable=True,
)
_HOLM = Column(
    "p_holm",
    REAL,
    "the same, corrected for all tests of the figure (Holm)",
    nullable=True,
)
_CASES = (
    Column("n", COUNT, "events that both have", unit="events"),
    Column("problems", COUNT, "problems of these events", unit="problems"),
)

LOOP_CORRELATIONS = Table(
    "loop/correlations",
    (
        Column("first", TEXT, "a column of `loop`"),
        Column("second", TEXT, "a later one"),
        Column(
            "same_family",
            FLAG,
            "both are made from the same logits, direction or scores, so that they "
            "agree by construction; nothing is claimed of them",
        ),
        *with_ends(
            "rho",
            "Spearman's correlation over the events that both have; null: one of them "
            "is the same everywhere",
            "1",
            nullable=True,
        ),
        *_CASES,
        _P,
        _HOLM,
    ),
    holds="the correlation of each pair of methods over the same events",
)

LOOP_PLANTED = Table(
    "loop/planted",
    (
        Column("method", TEXT, "a column of `loop`"),
        Column(
            "target",
            TEXT,
            "`cause`: whether a planted cause holds; `probability`: the planted "
            "probability of turning; `twin_effect`: the effect of the cause by twins",
            values=tuple(TARGETS),
        ),
        Column(
            "statistic",
            TEXT,
            "`auroc`: of the method's number, for events with a cause against those "
            "without; `spearman`: its correlation with the target; `within`: the same "
            "with ranks within each kind of cause",
            values=STATISTICS,
        ),
        *with_ends("value", "the statistic", "1", nullable=True),
        *_CASES,
        Column(
            "fewer_problems",
            COUNT,
            "`auroc`: problems of the class that has fewer; else `problems`",
            unit="problems",
        ),
        replace(_P, meaning=_P.meaning.replace(", or both of one family", "")),
        _HOLM,
    ),
    holds="each method against the planted cause, its probability and the twins",
)

LOOP_CAUSES = Table(
    "loop/causes",
    (
        Column(
            "ranking",
            TEXT,
            "`max_abs` and `mean_abs`: columns of `attribution/tokens`, over all words "
            "of the context but stop words; `exact`: by exact patching, over the words "
            "that it measured; `same_events`: `max_abs` over the words and events of "
            "`exact`",
            values=RANKINGS,
        ),
        Column(
            "cause",
            TEXT,
            "planted cause; `all`: all of them",
            values=("slip", "distractor", "open_word", "all"),
        ),
        Column("words", COUNT, "how many words count as first", unit="words"),
        Column(
            "hits",
            COUNT,
            "events with a word of the cause among these words",
            unit="events",
        ),
        Column(
            "unnamed",
            COUNT,
            "events without a word of the cause in the ranking (a cause of stop words "
            "alone): they count as misses",
            unit="events",
        ),
        Column("n", COUNT, "events with this cause", unit="events"),
        Column("problems", COUNT, "problems of these events", unit="problems"),
        _maybe("share", "hits / n", "share"),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
        _maybe("chance", "the share if all words were in random order", "share"),
        _maybe(
            "matched",
            "the share if the words of the cause changed places with random words of "
            "the same class (number or word) and frequency",
            "share",
        ),
        *with_ends("gain", "`share` - `chance`", "share", nullable=True),
        *with_ends("beyond", "`share` - `matched`", "share", nullable=True),
        *with_ends(
            "over_estimate",
            "`exact`: `share` minus that of `same_events`, paired; else null",
            "share",
            nullable=True,
        ),
        Column("p", REAL, "of a gain of 0, from the jackknife", nullable=True),
        Column(
            "p_holm", REAL, "corrected for the rows with `all` (Holm)", nullable=True
        ),
    ),
    holds="how often the planted cause is among the first words, by ranking",
)

LOOP_MEANS = Table(
    "loop/means",
    (
        Column(
            "column",
            TEXT,
            "a number or flag of `loop`; `steering_gain`, `units_gain`, `heads_gain`: "
            "an effect minus that of random vectors or sets at the same event",
        ),
        Column("mean", REAL, "mean over events", nullable=True, unit="see `loop`"),
        Column("low", REAL, LOW, nullable=True, unit="see `loop`"),
        Column("high", REAL, HIGH, nullable=True, unit="see `loop`"),
        Column("n", COUNT, "events with a value", unit="events"),
        Column("problems", COUNT, "problems of these events", unit="problems"),
        Column(
            "p",
            REAL,
            "of `steering_gain`, `units_gain`, `heads_gain`: two-sided p-value of a "
            "mean of 0, from the jackknife",
            nullable=True,
        ),
        Column("p_holm", REAL, "corrected for these three (Holm)", nullable=True),
    ),
    holds="mean of every method over the events",
)
