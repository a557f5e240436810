"""Columns of the tables of MLP value vectors and of the effects of zeroing them."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

# ASSUME: the customary level of a test.
LEVEL = 0.05
"""Largest corrected p-value of a claim."""
LAYER = Column(
    "layer",
    COUNT,
    "layer of the MLP, which writes to the boundary layer + 1",
    unit="index",
)
SIDE = Column(
    "side",
    TEXT,
    "`for`: vectors of largest cosine; `against`: of smallest cosine",
    values=("for", "against"),
)
DRAW = Column(
    "draw",
    COUNT,
    "0: the listed vectors; 1, 2, ...: random vectors that write as much",
    unit="index",
)
VECTOR = Column("vector", COUNT, "the hidden unit within the layer", unit="index")
COSINE = Column("cosine", REAL, "of its value vector with the probe's direction")
NORM = Column("norm", REAL, "of its value vector")
LIMIT = "limit that 95% of the directions of shuffled labels do not pass"


AT_FIRST = "mean activation of the unit at the first class of the contrast, in pairs"
AT_SECOND = "mean activation at their matched partners, the second class"


def _with_interval(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, REAL, meaning),
        Column(f"{name}_low", REAL, LOW, nullable=True),
        Column(f"{name}_high", REAL, HIGH, nullable=True),
    )


VALUE_VECTORS = Table(
    "value_vectors",
    (
        LAYER,
        SIDE,
        Column(
            "rank",
            COUNT,
            "1: the most extreme cosine of the layer on this side",
            unit="index",
        ),
        VECTOR,
        COSINE,
        Column(
            "cosine_null",
            REAL,
            "cosine of this rank with a direction that the probe's fit gives on "
            "shuffled labels (each pair's are swapped or kept at random), median",
        ),
        Column("cosine_limit", REAL, f"{LIMIT} at this rank"),
        NORM,
        Column("tokens_for", pl.List(pl.String), "tokens that it writes most for"),
        Column(
            "token_ids_for",
            pl.List(pl.Int32),
            "ids of these tokens",
            unit="token id",
        ),
        Column(
            "tokens_against", pl.List(pl.String), "tokens that it writes most against"
        ),
        Column(
            "token_ids_against",
            pl.List(pl.Int32),
            "ids of these tokens",
            unit="token id",
        ),
        *_with_interval("at_first", AT_FIRST),
        *_with_interval("at_second", AT_SECOND),
        *_with_interval("difference", "at_first minus at_second, within pairs"),
        Column("pairs", COUNT, "matched pairs behind these means", unit="pairs"),
        Column(
            "problems",
            COUNT,
            "problems of the first members of the pairs",
            unit="problems",
        ),
    ),
    holds="MLP value vectors along a probe's direction, their tokens and activations",
)

VALUE_VECTOR_ALIGNMENT = Table(
    "value_vectors/alignment",
    (
        LAYER,
        SIDE,
        Column("cosine", REAL, "most extreme cosine of the layer on this side"),
        Column(
            "cosine_null", REAL, "the same with directions of shuffled labels, median"
        ),
        Column("cosine_limit", REAL, LIMIT),
        Column("vectors", COUNT, "vectors that are zeroed together", unit="vectors"),
        Column(
            "share",
            REAL,
            "share of the direction's squared norm in the span of these vectors",
            unit="share",
        ),
        Column(
            "share_null",
            REAL,
            "the same for directions of shuffled labels and the vectors closest to "
            "each, median",
            unit="share",
        ),
        Column("share_limit", REAL, LIMIT, unit="share"),
        Column("directions", COUNT, "directions of shuffled labels", unit="directions"),
        Column(
            "as_large",
            COUNT,
            "directions of shuffled labels with a cosine at least as extreme",
            unit="directions",
        ),
        Column("p", REAL, "(as_large + 1) / (directions + 1)"),
        Column("p_holm", REAL, "p, corrected for the number of rows (Holm)"),
    ),
    holds="cosines beside those with directions that the probe's fit gives on "
    "shuffled labels",
)

VALUE_VECTOR_UNITS = Table(
    "value_vectors/units",
    (
        LAYER,
        VECTOR,
        COSINE,
        NORM,
        Column("at_first", REAL, AT_FIRST),
        Column("at_second", REAL, AT_SECOND),
        Column("difference", REAL, "at_first minus at_second, within pairs"),
    ),
    holds="all units of the layers of the listed vectors",
)

VALUE_VECTOR_SETS = Table(
    "value_vectors/sets",
    (
        LAYER,
        SIDE,
        DRAW,
        Column(
            "vectors",
            pl.List(pl.Int32),
            "the hidden units of the set; the same at all backtracks",
            unit="index",
        ),
        Column(
            "replaceable",
            COUNT,
            "listed vectors for which random ones could be drawn; the others are in "
            "every set",
            unit="vectors",
        ),
        Column(
            "written",
            REAL,
            "sum over the vectors of mean |activation| times norm at the checked "
            "backtracks",
        ),
        Column(
            "along",
            REAL,
            "sum over the vectors of mean activation times norm times cosine there: "
            "what the set writes along the probe's direction",
        ),
    ),
    holds="the sets of vectors that are zeroed",
)

VALUE_VECTOR_INTERVENTIONS = Table(
    "value_vectors/interventions",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the backtrack within the trace", unit="index"),
        Column("problem", TEXT, "id of its problem"),
        LAYER,
        SIDE,
        DRAW,
        Column(
            "log_odds",
            REAL,
            "log-odds of the backtrack words against all other tokens, nothing zeroed",
            unit="nats",
        ),
        Column(
            "log_odds_change",
            REAL,
            "their change where the vectors are zeroed at the position",
            unit="nats",
        ),
    ),
    holds="what zeroing a set changes at each backtrack",
)

VALUE_VECTOR_SET_EFFECTS = Table(
    "value_vectors/set_effects",
    (
        LAYER,
        SIDE,
        DRAW,
        Column("log_odds_change", REAL, "mean over the backtracks", unit="nats"),
    ),
    holds="what zeroing a set changes on average: the listed sets and their null",
)

VALUE_VECTOR_EFFECTS = Table(
    "value_vectors/effects",
    (
        LAYER,
        SIDE,
        Column("vectors", COUNT, "vectors zeroed together", unit="vectors"),
        Column(
            "replaceable",
            COUNT,
            "vectors for which random ones could be drawn; the others are in every set",
            unit="vectors",
        ),
        Column("positions", COUNT, "checked backtracks", unit="positions"),
        Column("problems", COUNT, "problems of these backtracks", unit="problems"),
        Column("written", REAL, "`sets.written` of the listed vectors"),
        Column("written_random", REAL, "its mean over the random sets"),
        Column("along", REAL, "`sets.along` of the listed vectors"),
        Column(
            "expected",
            TEXT,
            "whether zeroing the set should make the backtrack words less likely "
            "(`along` is above 0) or more likely (below 0); null where the contrast's "
            "first class is not the backtrack, or `along` is 0",
            nullable=True,
            values=("less", "more"),
        ),
        Column(
            "log_odds_spread",
            REAL,
            "standard deviation over the backtracks of the log-odds, nothing zeroed",
            nullable=True,
            unit="nats",
        ),
        Column(
            "log_odds_change",
            REAL,
            "mean change of the log-odds of the backtrack words against all other "
            "tokens",
            unit="nats",
        ),
        Column("log_odds_change_low", REAL, LOW, nullable=True, unit="nats"),
        Column("log_odds_change_high", REAL, HIGH, nullable=True, unit="nats"),
        Column(
            "relative_change",
            REAL,
            "log_odds_change / log_odds_spread",
            nullable=True,
            unit="standard deviations",
        ),
        Column("random_middle", REAL, "median over the random sets", unit="nats"),
        Column("random_low", REAL, "2.5% quantile of the random sets", unit="nats"),
        Column("random_high", REAL, "97.5% quantile of the random sets", unit="nats"),
        Column("random_sets", COUNT, "random sets", unit="sets"),
        Column(
            "as_far",
            COUNT,
            "random sets at least as far from the middle of all sets",
            unit="sets",
        ),
        Column("p", REAL, "(as_far + 1) / (random_sets + 1)"),
        Column("p_holm", REAL, "p, corrected for the number of rows (Holm)"),
        Column(
            "sign_p",
            REAL,
            "that the mean change is 0, by flipping the signs of problems",
        ),
        Column(
            "sign_p_holm",
            REAL,
            "sign_p, corrected for the number of rows (Holm)",
        ),
    ),
    holds="what zeroing the listed vectors changes, beside random sets",
)
