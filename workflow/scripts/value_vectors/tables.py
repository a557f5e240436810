"""MLP value vectors along a probe's direction, and what scaling them does."""

import polars as pl

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

LAYER = Column("layer", COUNT, "the MLP's layer; it writes to the boundary layer + 1")
END = Column("end", TEXT, "`for`: largest cosines; `against`: smallest")


def _activation(kind: str) -> tuple[Column, ...]:
    words = f"mean activation of the unit at the {kind}s looked into"
    ends = "bootstrap over problems"
    return (
        Column(f"at_{kind}", REAL, words, nullable=True),
        Column(f"at_{kind}_low", REAL, ends, nullable=True),
        Column(f"at_{kind}_high", REAL, ends, nullable=True),
    )


def _change(name: str, meaning: str) -> tuple[Column, ...]:
    ends = "bootstrap over problems"
    return (
        Column(name, REAL, meaning),
        Column(f"{name}_low", REAL, ends),
        Column(f"{name}_high", REAL, ends),
    )


VALUE_VECTORS = Table(
    "value_vectors",
    (
        LAYER,
        END,
        Column("rank", COUNT, "1: the largest (smallest) cosine of the layer"),
        Column("vector", COUNT, "the hidden unit"),
        Column("cosine", REAL, "of its value vector with the probe's direction"),
        Column("norm", REAL, "of its value vector"),
        Column("tokens_for", pl.List(pl.String), "tokens it writes most for"),
        Column("ids_for", pl.List(pl.Int32), "their ids"),
        Column("tokens_against", pl.List(pl.String), "tokens it writes most against"),
        Column("ids_against", pl.List(pl.Int32), "their ids"),
        *_activation("backtrack"),
        *_activation("control"),
        *_activation("wrap_up"),
    ),
    holds="MLP value vectors along a probe's direction, their tokens and activations",
)

VALUE_VECTOR_UNITS = Table(
    "value_vectors/units",
    (
        LAYER,
        Column("vector", COUNT, "the hidden unit: all of the layer"),
        Column("cosine", REAL, "of its value vector with the probe's direction"),
        Column("norm", REAL, "of its value vector"),
        Column("at_backtrack", REAL, "mean activation at backtracks", nullable=True),
        Column("at_control", REAL, "mean activation at controls", nullable=True),
        Column("at_wrap_up", REAL, "mean activation at wrap-ups", nullable=True),
    ),
    holds="all units of these layers",
)

VALUE_VECTOR_INTERVENTIONS = Table(
    "value_vectors/interventions",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the backtrack within the trace"),
        Column("problem", TEXT, "id of its problem"),
        LAYER,
        END,
        Column("draw", COUNT, "0: the vectors; 1, 2, ...: random ones of like norm"),
        Column("factor", REAL, "what their activations were multiplied with"),
        Column("written", REAL, "sum over them of |activation| times norm, before"),
        Column("target", REAL, "change of the backtrack words' logit (logsumexp)"),
        Column("margin", REAL, "change of that logit minus the wrap-up words'"),
    ),
    holds="what scaling the vectors does to the logits at each backtrack",
)

VALUE_VECTOR_EFFECTS = Table(
    "value_vectors/effects",
    (
        LAYER,
        END,
        Column("factor", REAL, "what the vectors' activations were multiplied with"),
        Column("vectors", COUNT, "vectors scaled together"),
        Column("positions", COUNT, "backtracks"),
        Column("problems", COUNT, "problems they are on"),
        Column("written", REAL, "mean of the sum of |activation| times norm, before"),
        Column("written_random", REAL, "the same of the random vectors"),
        *_change("target", "mean change of the backtrack words' logit"),
        *_change("target_random", "the same by random vectors"),
        *_change("target_excess", "difference of the two, position by position"),
        *_change("margin", "mean change of that logit minus the wrap-up words'"),
        *_change("margin_random", "the same by random vectors"),
        *_change("margin_excess", "difference of the two, position by position"),
    ),
    holds="what scaling the vectors does on average",
)
