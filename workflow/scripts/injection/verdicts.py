"""The published presumption, tested.

Published: "Inject once at the last input token: this only affects the first output
token, presumably due to insufficient attention given to it." There are two parts.

The premise: more than half of the divergence falls on the first token. The reason: with
enough attention the effect would last. So the odds of the attention to the token are
multiplied, in the unsteered run and in the injected one. If then less than half of the
divergence falls on the first token, the presumption is supported. If it is still more
than half, attention is not what is missing, and the presumption is refuted.

All intervals are corrected for the number of intervals that may decide (Bonferroni).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means
from injection.attended_means import SETTING, paired
from injection.decay import columns_of, means_by_draw, share_of_first, values_of
from injection.tables import (
    NO_PREMISE,
    NOT_CHECKED,
    ONCE,
    OPEN,
    RANDOM,
    REFUTED,
    SUPPORTED,
)

HALF = 0.5
INTERVALS = 3
"""Intervals of a test: the share, the share with more attention, the attention."""

Row = dict[str, Any]


def verdict_rows(
    injection: pl.DataFrame,
    attention: pl.DataFrame,
    tested_strength: float,
    intervals: IntervalSettings,
) -> list[Row]:
    """Rows of `INJECTION_TESTS`: one for each place, direction and depth."""
    once = injection.filter(mode=ONCE, strength=tested_strength)
    named = once.filter(pl.col("direction") != RANDOM)
    keys = ["place", "direction", "boundary", "depth", "strength"]
    settings = named.partition_by(keys, as_dict=True, maintain_order=True)
    strict = corrected(intervals, INTERVALS * len(settings))
    pairs = paired(attention)
    rows: list[Row] = []
    for key, part in settings.items():
        setting = dict(zip(keys, key, strict=True))
        same = {name: setting[name] for name in SETTING}
        random = once.filter(
            direction=RANDOM, place=setting["place"], boundary=setting["boundary"]
        )
        rows.append(
            setting
            | _shares(part, strict)
            | _attention_difference(pairs.filter(**same), strict)
            | _against_random(part.filter(factor=1.0), random)
            | {"n": part["trace"].n_unique(), "problems": part["problem"].n_unique()}
        )
    return [row | {"verdict": verdict_of(row)} for row in rows]


def corrected(intervals: IntervalSettings, count: int) -> IntervalSettings:
    """Intervals that all hold together with the confidence of one (Bonferroni)."""
    missed = (1 - intervals.confidence) / max(count, 1)
    return replace(intervals, confidence=1 - missed)


def verdict_of(row: Row) -> str:
    """What the shares of a setting say; `row` is of `INJECTION_TESTS`."""
    plain, boosted = (_side(row, name) for name in ("share", "boosted_share"))
    if plain is None:
        return NOT_CHECKED
    if plain == "less":
        return NO_PREMISE
    if plain == "open":
        return OPEN
    if boosted is None:
        return NOT_CHECKED
    return {"less": SUPPORTED, "more": REFUTED, "open": OPEN}[boosted]


def _side(row: Row, name: str) -> str | None:
    """Whether a share is `more` or `less` than half; None: without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if not isinstance(low, float) or not isinstance(high, float):
        return None
    if low > HALF:
        return "more"
    return "less" if high < HALF else "open"


def _shares(part: pl.DataFrame, intervals: IntervalSettings) -> Row:
    """The share of the first token, as the model attends and with most attention."""
    largest = part["factor"].max()
    columns: Row = {"factor": largest}
    for name, factor in (("share", 1.0), ("boosted_share", largest)):
        rows = part.filter(factor=factor)
        ends = share_of_first(values_of(rows), rows["problem"].to_numpy(), intervals)
        columns |= columns_of(name, ends)
    return columns


def _attention_difference(pairs: pl.DataFrame, intervals: IntervalSettings) -> Row:
    """The difference of attention, mean over layers and distances."""
    if pairs.is_empty():
        return columns_of("difference", (float("nan"), None, None))
    change = np.array(pairs["attention"].to_list()) - pairs["unsteered"].to_list()
    by_case = (
        pairs.select("trace", "problem")
        .with_columns(change=change.mean(1))
        .group_by("trace", "problem", maintain_order=True)
        .mean()
    )
    values = by_case["change"].cast(pl.Float64).to_numpy()[:, None]
    (mean,) = cluster_means(values, by_case["problem"].to_numpy(), intervals)
    return columns_of("difference", (mean.value, mean.low, mean.high))


def _against_random(part: pl.DataFrame, random: pl.DataFrame) -> Row:
    """The rank of the divergence after the first token among random vectors."""
    if random.is_empty():
        return {"random_p": None, "draws": 0}
    same = part.filter(pl.col("trace").is_in(random["trace"].implode()))
    own = values_of(same)[:, 1:].sum(1).mean()
    sums = values_of(random)[:, 1:].sum(1)[:, None]
    others = means_by_draw(sums, random["draw"])[:, 0]
    larger = int((others >= own).sum())
    return {"random_p": (1 + larger) / (1 + len(others)), "draws": len(others)}
