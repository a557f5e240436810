"""Columns of the tables of MLP value vectors and of the effects of scaling them."""

import polars as pl

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

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
VECTOR = Column("vector", COUNT, "the hidden unit within the layer", unit="index")
COSINE = Column("cosine", REAL, "of its value vector with the probe's direction")
NORM = Column("norm", REAL, "of its value vector")
PROBLEMS = Column("problems", COUNT, "problems of these backtracks", unit="problems")


def _activation_columns(kind: str) -> tuple[Column, ...]:
    words = f"mean activation of the unit at the selected {kind}s"
    return (
        Column(f"at_{kind}", REAL, words, nullable=True),
        Column(f"at_{kind}_low", REAL, LOW, nullable=True),
        Column(f"at_{kind}_high", REAL, HIGH, nullable=True),
    )


def _logit_columns(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, REAL, meaning, unit="logit"),
        Column(f"{name}_low", REAL, LOW, nullable=True, unit="logit"),
        Column(f"{name}_high", REAL, HIGH, nullable=True, unit="logit"),
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
        *_activation_columns("backtrack"),
        *_activation_columns("control"),
        *_activation_columns("wrap_up"),
    ),
    holds="MLP value vectors along a probe's direction, their tokens and activations",
)

VALUE_VECTOR_UNITS = Table(
    "value_vectors/units",
    (
        LAYER,
        VECTOR,
        COSINE,
        NORM,
        Column("at_backtrack", REAL, "mean activation at backtracks", nullable=True),
        Column("at_control", REAL, "mean activation at controls", nullable=True),
        Column("at_wrap_up", REAL, "mean activation at wrap-ups", nullable=True),
    ),
    holds="all units of the layers of the listed vectors",
)

VALUE_VECTOR_INTERVENTIONS = Table(
    "value_vectors/interventions",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the backtrack within the trace", unit="index"),
        Column("problem", TEXT, "id of its problem"),
        LAYER,
        SIDE,
        Column(
            "draw",
            COUNT,
            "0: the chosen vectors; 1, 2, ...: random vectors with similar `written`",
            unit="index",
        ),
        Column("factor", REAL, "factor by which the activations were multiplied"),
        Column(
            "written",
            REAL,
            "sum over the vectors of |activation| times norm, before scaling",
        ),
        Column(
            "logit_change",
            REAL,
            "change of the backtrack words' logit (logsumexp over the words)",
            unit="logit",
        ),
        Column(
            "margin_change",
            REAL,
            "change of the backtrack words' logit minus the wrap-up words' logit",
            unit="logit",
        ),
    ),
    holds="what scaling the vectors does to the logits at each backtrack",
)

VALUE_VECTOR_EFFECTS = Table(
    "value_vectors/effects",
    (
        LAYER,
        SIDE,
        Column("factor", REAL, "factor by which the activations were multiplied"),
        Column("vectors", COUNT, "vectors scaled together", unit="vectors"),
        Column("positions", COUNT, "checked backtracks", unit="positions"),
        PROBLEMS,
        Column("written", REAL, "mean of `interventions.written`, the chosen vectors"),
        Column("written_random", REAL, "the same mean, the random vectors"),
        *_logit_columns("logit_change", "mean change of the backtrack words' logit"),
        *_logit_columns("logit_change_random", "the same mean, the random vectors"),
        *_logit_columns(
            "logit_change_excess", "mean difference of the two at the same position"
        ),
        *_logit_columns(
            "margin_change",
            "mean change of the backtrack words' logit minus the wrap-up words' logit",
        ),
        *_logit_columns("margin_change_random", "the same mean, the random vectors"),
        *_logit_columns(
            "margin_change_excess", "mean difference of the two at the same position"
        ),
    ),
    holds="what scaling the vectors does on average",
)
