"""Tables of exact attribution: words patched exactly, beside their estimates."""

from dataclasses import replace

from doubletake.tables.interval_ends import HIGH, LOW, with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

NATS = "nats (logits with `attribution.metric: target`)"
TOP, RANDOM, CAUSE = "top", "random", "cause"
SOURCES = (TOP, RANDOM, CAUSE)
"""Why a word is measured."""
MEASURED, LEAST, LATE = "measured", "least", "late"
BUDGETS = (MEASURED, LEAST, LATE)
"""What the budget of time said of a backtrack."""
EXACT, ESTIMATE, PUBLISHED = "exact", "estimate", "published"
RANKINGS = (EXACT, ESTIMATE, PUBLISHED)
"""By what words are ranked."""
SCREEN = "screen"
GRADIENT, INTEGRATED, DIFFERENCE = "gradient", "integrated", "difference"

KEY = (
    Column("trace", TEXT, "id of the trace"),
    Column("problem", TEXT, "id of its problem"),
    Column("event", COUNT, "number of the event within the trace", unit="index"),
)
POSITION = Column(
    "position",
    COUNT,
    "the token that predicts the backtrack's first token",
    unit="token index",
)
WORD = (
    Column("word", TEXT, "in lower case; numbers in canonical form"),
    Column(
        "token",
        COUNT,
        "first token of the occurrence; all tokens of the occurrence are replaced "
        "together",
        unit="token index",
    ),
)
CASES = (
    Column("events", COUNT, "backtracks behind the number", unit="backtracks"),
    Column("problems", COUNT, "problems of these backtracks", unit="problems"),
)
P = (
    Column(
        "p",
        REAL,
        "two-sided p-value over problems; null: too few problems",
        nullable=True,
    ),
    Column(
        "p_holm",
        REAL,
        "corrected for all claims of the section (Holm); null: nothing is claimed",
        nullable=True,
    ),
)
K = Column("k", COUNT, "how many words count as first", unit="words")

EXACT_EVENTS = Table(
    "exact_attribution/events",
    (
        *KEY,
        POSITION,
        Column("place", COUNT, "place in the seeded order, from 1", unit="index"),
        Column(
            "budget",
            TEXT,
            "`measured`: within the time; `least`: the time was over, and it is one of "
            "the first `least` backtracks; `late`: not measured, the time was over",
            values=BUDGETS,
        ),
        Column(
            "context_words",
            COUNT,
            "different words of the context without stop words: those that "
            "`attribution/words` ranks",
            unit="words",
        ),
        Column(
            "all_words",
            COUNT,
            "different words of the context with stop words",
            unit="words",
        ),
        Column(
            "words",
            COUNT,
            "measured occurrences; null if it is late",
            nullable=True,
            unit="words",
        ),
        Column(
            "metric_value",
            REAL,
            "the metric in the clean run; null if it is late",
            nullable=True,
            unit=NATS,
        ),
        Column(
            "whole",
            REAL,
            "change of the metric when all tokens from the question's first one to the "
            "one before the position are replaced at one boundary: the change of "
            "largest size; null if it is late, or if there is no such token",
            nullable=True,
            unit=NATS,
        ),
        Column(
            "whole_layer",
            COUNT,
            "its layer; null as `whole`",
            nullable=True,
            unit="index",
        ),
    ),
    sort=("trace", "event"),
    holds="the drawn backtracks, and what the budget of time allowed",
)

EXACT_WORDS = Table(
    "exact_attribution/words",
    (
        *KEY,
        POSITION,
        *WORD,
        Column(
            "source",
            TEXT,
            "`top`: one of the first words of `attribution/words`; `random`: drawn "
            "from the other words of the context; `cause`: neither, but a word of the "
            "planted cause",
            values=SOURCES,
        ),
        Column("is_cause", FLAG, "the occurrence lies in the planted cause"),
        Column(
            "is_ranked",
            FLAG,
            "`attribution/words` ranks the word: it is no stop word",
        ),
        Column(
            "estimate",
            REAL,
            "estimated change: the sum of the tokens' scores at one of the measured "
            "boundaries, the sum of largest size",
            unit=NATS,
        ),
        Column(
            "estimate_rank",
            COUNT,
            "1: largest |estimate| among the measured words of the event",
            unit="index",
        ),
        Column(
            "exact",
            REAL,
            "change of the metric when the states of the word's tokens are replaced by "
            "their mean at one of the measured boundaries: the change of largest size; "
            "negative: the word supports turning back",
            unit=NATS,
        ),
        Column(
            "exact_rank",
            COUNT,
            "1: largest |exact| among the measured words of the event",
            unit="index",
        ),
        Column(
            "layer",
            COUNT,
            "the layer before which `exact` is the largest",
            unit="index",
        ),
        Column("same_cell", REAL, "the estimate before this layer", unit=NATS),
        Column(
            "published",
            REAL,
            "the published recipe: largest `max_abs` of the occurrence's tokens in "
            "`attribution/tokens`, a maximum over all layers",
            unit=NATS,
        ),
        Column(
            "published_rank",
            COUNT,
            "1: largest `published` among the measured words of the event",
            unit="index",
        ),
    ),
    sort=("trace", "event"),
    holds="every measured word of the drawn backtracks: exact value and estimate",
)

EXACT_CELLS = Table(
    "exact_attribution/cells",
    (
        *KEY,
        *WORD,
        Column(
            "layer",
            COUNT,
            "the layer before which the word is replaced",
            unit="index",
        ),
        Column(
            "step",
            REAL,
            "how far the states move toward their mean: 1 is the mean; smaller steps "
            "are taken for a seeded sample of words, at one layer for each backtrack",
            unit="share",
        ),
        Column("exact", REAL, "change of the metric / `step`", unit=NATS),
        Column("estimate", REAL, "sum of the tokens' scores", unit=NATS),
        Column(
            "integrated",
            REAL,
            "gradients at a few points of the cell's own path, averaged; null: not in "
            "the sample, or another step than 1",
            nullable=True,
            unit=NATS,
        ),
    ),
    sort=("trace", "event"),
    holds="the exact value of every word before every measured layer, by step",
)

EXACT_STEPS = Table(
    "exact_attribution/steps",
    (
        Column(
            "method",
            TEXT,
            "what is compared with the exact value: `gradient`, or `integrated`; "
            "`difference`: gradient at the smallest step minus gradient at step 1, at "
            "the same words",
            values=(GRADIENT, INTEGRATED, DIFFERENCE),
        ),
        Column(
            "layer",
            COUNT,
            "null: the layers of the sample together",
            nullable=True,
            unit="index",
        ),
        Column("step", REAL, "how far the states move", unit="share"),
        Column("words", COUNT, "words behind the correlations", unit="words"),
        *with_ends(
            "pearson",
            "mean over backtracks of Pearson's correlation over their words",
            "1",
            nullable=True,
        ),
        *P,
        *CASES,
    ),
    holds="agreement of the estimate with exact patching, by step and by layer",
)

EXACT_RECALL = Table(
    "exact_attribution/recall",
    (
        Column(
            "ranking",
            TEXT,
            "`estimate` or `published`: its first k measured words are looked for; "
            "`screen`: all `top` words are, among the k strongest words of the whole "
            "context but stop words (each random word stands for all words that were "
            "not drawn)",
            values=(ESTIMATE, PUBLISHED, SCREEN),
        ),
        K,
        *with_ends(
            "recall",
            "mean share of the k words of largest |exact| that are found",
            "share",
            nullable=True,
        ),
        Column(
            "chance",
            REAL,
            "the same for words in random order (hypergeometric)",
            nullable=True,
            unit="share",
        ),
        *with_ends("gain", "recall minus chance", "share", nullable=True),
        *P,
        *CASES,
    ),
    holds="how many of the strongest words by exact patching an estimate finds",
)

EXACT_SIZES = Table(
    "exact_attribution/sizes",
    (
        Column(
            "quantity",
            TEXT,
            "`first`, `third`: the word of this exact rank; `random`: mean of the "
            "random words; `whole`: the whole context (`events.whole`)",
            values=("first", "third", "random", "whole"),
        ),
        *with_ends("size", "mean size of the exact change", NATS, nullable=True),
        *with_ends(
            "of_whole",
            "mean size / mean size of `whole`, over the same backtracks",
            "share",
            nullable=True,
        ),
        Column(
            "of_spread",
            REAL,
            "mean size / standard deviation of the metric over all positions of "
            "`attribution/tokens`; null: the metric does not vary",
            nullable=True,
            unit="share",
        ),
        *with_ends(
            "negative",
            "share of negative changes: the context supports turning back",
            "share",
            nullable=True,
        ),
        *CASES,
    ),
    holds="sizes of the exact changes against the metric's own size",
)

EXACT_CAUSES = Table(
    "exact_attribution/causes",
    (
        Column(
            "cause",
            TEXT,
            "planted cause, see `truth`; `all`: all of them",
            values=("slip", "distractor", "open_word", "all"),
        ),
        Column(
            "ranking",
            TEXT,
            "`exact` and `estimate`: all measured words; `published`: those that the "
            "published recipe ranks, so no stop words",
            values=RANKINGS,
        ),
        K,
        Column(
            "hits",
            COUNT,
            "backtracks with a word of the cause among the first k different words of "
            "the ranking, wherever that word stands in the context",
            unit="backtracks",
        ),
        Column(
            "unnamed",
            COUNT,
            "backtracks without a word of the cause in the ranking (a cause of stop "
            "words alone): they count as misses",
            unit="backtracks",
        ),
        Column("share", REAL, "hits / events", nullable=True, unit="share"),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
        Column(
            "chance",
            REAL,
            "expected share if the words of the ranking were in random order",
            nullable=True,
            unit="share",
        ),
        Column(
            "context_chance",
            REAL,
            "the same with all words of the context, stop words included",
            nullable=True,
            unit="share",
        ),
        *with_ends("gain", "share minus `chance`", "share", nullable=True),
        *P,
        *with_ends(
            "over_estimate",
            "share minus the share by `estimate`, at the same backtracks; null for "
            "`estimate`",
            "share",
            nullable=True,
        ),
        *(
            # Of the paired difference.
            replace(one, name=f"over_estimate_{one.name}", unit="probability")
            for one in P
        ),
        *CASES,
    ),
    holds="how often the planted cause is among the first words",
)
