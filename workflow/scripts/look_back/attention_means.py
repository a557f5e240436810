"""Means of the attention to important and matched words: all layers, layers, heads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from look_back.means import Means, means_by_kind
from look_back.tables import (
    ATTENTION_BASELINES,
    BACKTRACK,
    LOOK_BACK_HEADS,
    LOOK_BACK_SUMMARY,
    PLACE,
    SUMMARY_BASELINES,
    WORD_DIFFERENCE,
)
from matches.tables import DIFFERENCE

EVENT = ("trace", "event")
CLAIMED = (BACKTRACK, DIFFERENCE)
"""Kinds whose differences are tested together."""


def word_means(
    positions: pl.DataFrame,
    words: pl.DataFrame,
    columns: Sequence[tuple[str, str, str]],
) -> np.ndarray:
    """Means over the important words of each position that have a match.

    Args:
        positions: columns trace and event, a row per position.
        words: `LOOK_BACK_WORDS`.
        columns: of each group: the column of the important words, that of their
            matches, and the column with the number of matches.

    Returns:
        [position, group, 2]; NaN for a position without such words.
    """
    exprs = []
    for k, (important, matched, partners) in enumerate(columns):
        given = pl.col(partners) > 0
        for side, name in enumerate((important, matched)):
            value = pl.col(name).cast(pl.Float64).filter(given).mean()
            exprs.append(value.alias(f"{k}_{side}"))
    means = words.sort(*EVENT, "rank").group_by(EVENT, maintain_order=True).agg(exprs)
    joined = positions.select(EVENT).join(
        means, on=EVENT, how="left", maintain_order="left"
    )
    values = joined.drop(EVENT).cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values.reshape(len(joined), len(columns), 2)


def summary_table(
    looks: pl.DataFrame,
    words: pl.DataFrame,
    layers: pl.DataFrame,
    matches: pl.DataFrame,
    intervals: IntervalSettings,
) -> pl.DataFrame:
    """`LOOK_BACK_SUMMARY`: all layers by baseline, then single layers.

    Args:
        looks: `LOOK_BACK`.
        words: `LOOK_BACK_WORDS`.
        layers: `LOOK_BACK_LAYERS`.
        matches: `MATCHES`.
        intervals: over problems.
    """
    columns = [("share", f"{b}_share", f"{b}_partners") for b in ATTENTION_BASELINES]
    columns.append(("share", "place_share", "again_partners"))  # SAME_WORDS
    even = ("even", "place_even", "place_partners")
    pairs = word_means(looks, words, [*columns, even])
    rows: list[dict[str, Any]] = []
    evens: dict[tuple[str, str], float | None] = {}
    for kind, group, quantity, mean, p in means_by_kind(
        pairs, looks, matches, intervals
    ):
        if group == len(SUMMARY_BASELINES):
            evens[kind, quantity] = mean["mean"]
            continue
        baseline = SUMMARY_BASELINES[group]
        tested = quantity == WORD_DIFFERENCE and kind in CLAIMED
        tested = tested and baseline in ATTENTION_BASELINES
        rows.append(
            {"kind": kind, "baseline": baseline, "layer": None}
            | {"quantity": quantity, **mean, "even": None}
            | {"p": p if tested else np.nan}
        )
    corrected = holm_of(np.array([row["p"] for row in rows], dtype=float))
    for row, p in zip(rows, corrected, strict=True):
        row["p"] = None if np.isnan(p) else float(p)
        if row["baseline"] == PLACE and row["quantity"] != WORD_DIFFERENCE:
            row["even"] = evens[row["kind"], row["quantity"]]
    rows += _layer_rows(layers, matches, intervals)
    return LOOK_BACK_SUMMARY.frame(rows)


def _layer_rows(
    layers: pl.DataFrame, matches: pl.DataFrame, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Rows of single layers: shares of what a layer gives beside the first token."""
    if layers.is_empty():
        return []
    shares = layers.with_columns(
        **{
            name: pl.col(name).list.sum().cast(pl.Float64)
            / pl.col("rest").list.sum().cast(pl.Float64)
            for name in ("important", "matched")
        }
    ).sort("trace", "event", "layer")
    positions = shares.unique(EVENT, keep="first", maintain_order=True)
    n_layers = shares["layer"].n_unique()
    pairs = shares.select("important", "matched").to_numpy()
    pairs = pairs.reshape(positions.height, n_layers, 2)
    return [
        {"kind": kind, "baseline": PLACE, "layer": layer, "quantity": quantity}
        | mean
        | {"even": None, "p": None}
        for kind, layer, quantity, mean, _ in means_by_kind(
            pairs, positions, matches, intervals
        )
    ]


def heads_table(layers: pl.DataFrame, intervals: IntervalSettings) -> pl.DataFrame:
    """`LOOK_BACK_HEADS`: means over backtracks, the largest difference first.

    Args:
        layers: `LOOK_BACK_LAYERS`.
        intervals: over problems.
    """
    own = layers.filter(kind=BACKTRACK).sort("trace", "event", "layer")
    if own.is_empty():
        return LOOK_BACK_HEADS.frame([])
    positions = own.unique(EVENT, keep="first", maintain_order=True)
    important, matched = (
        np.array(own[name].to_list()).reshape(positions.height, -1)
        for name in ("important", "matched")
    )
    problems = positions["problem"].to_numpy()
    means = Means.of(important - matched, problems, intervals)
    heads = len(own["important"][0])
    corrected = holm_of(means.p)
    sides = important.mean(0), matched.mean(0)
    order = sorted(
        range(len(means.rows)), key=lambda k: (-float(means.rows[k]["mean"] or 0), k)
    )
    rows = [
        {"rank": rank, "layer": k // heads, "head": k % heads}
        | {"important": float(sides[0][k]), "matched": float(sides[1][k])}
        | means.rows[k]
        | {"p": None if np.isnan(corrected[k]) else float(corrected[k])}
        for rank, k in enumerate(order, 1)
    ]
    return LOOK_BACK_HEADS.frame(rows)
