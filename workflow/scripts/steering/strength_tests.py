"""Tests of the chosen direction: turning along the strengths, and random vectors."""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings
from steering.cell_means import band_rank
from steering.names import DIRECTION, NONE, RANDOM, SIDES, expected_sign
from steering.trends import longest_run, rank_p, sign_test, slopes, whole_window

FEWEST = 3
"""Fewest strengths, none included, with a slope."""


def trend_row(
    outcome: str, rows: pl.DataFrame, means: pl.DataFrame, intervals: IntervalSettings
) -> dict[str, Any] | None:
    """A row of `TRENDS`; None without steered rows.

    Only the strengths around none between which all text is whole are tested.

    Args:
        outcome: name of the outcome, a column of `rows`.
        rows: [text], with `strength`, `problem` and the outcome; `direction` is null
            without steering.
        means: [strength], with `strength`, `whole` and the mean of the outcome as
            `mean`; none has strength 0.
        intervals: fewest problems with a p-value.
    """
    if means.height < FEWEST:
        return None
    strengths = _whole_strengths(means)
    kept, inside = np.array(strengths), pl.col("strength").is_in(strengths)
    wide = _wide(rows.filter(inside), outcome)
    row: dict[str, Any] = {
        "outcome": outcome,
        "strengths": len(kept),
        "problems": len(wide),
        "rising": 0,
        "falling": 0,
    } | dict.fromkeys(("p", "run_rises", "run_from", "run_to"))
    run = longest_run(means.filter(inside).sort("strength")["mean"].to_numpy())
    row["run"] = run.steps if run else 0
    if run:
        row |= {"run_rises": run.rises}
        row |= {"run_from": kept[run.first], "run_to": kept[run.last]}
    if len(kept) >= FEWEST:
        found = sign_test(slopes(kept, wide), intervals.least_problems)
        row |= dict(zip(("rising", "falling", "p"), found, strict=True))
    return row


def slope_rows(
    outcome: str,
    short: pl.DataFrame,
    means: pl.DataFrame,
    intervals: IntervalSettings,
) -> list[dict[str, Any]]:
    """Rows of `SLOPES`: the direction among random vectors of its length, by side.

    Each vector's means at the lengths at which the direction leaves the text
    whole, none included, give one slope. So one test covers these strengths of a side.

    Args:
        outcome: of `SHORT_OUTCOMES`.
        short: `SHORT`.
        means: [strength], with `strength` and `whole`, as in `trend_row`.
        intervals: confidence of the test, and fewest problems with one.
    """
    steered = short.filter(source=DIRECTION)
    if steered.is_empty():
        return []
    kept, sense = _whole_strengths(means), expected_sign(steered["direction"][0])
    rows = []
    for side, sign in zip(SIDES, (-1, 1), strict=True):
        toward = pl.col("strength") * sense * sign > 0
        own = steered.filter(toward, pl.col("strength").is_in(kept))
        row = _slope_row(outcome, short, own, sign, intervals)
        rows.append({"outcome": outcome, "side": side} | row)
    tested = [row for row in rows if row["p"] is not None]
    corrected = holm(np.array([row["p"] for row in tested], dtype=float))
    for row, value in zip(tested, corrected, strict=True):
        row["holm"] = float(value)
    return rows


def _whole_strengths(means: pl.DataFrame) -> list[float]:
    """Strengths around none between which all text is whole."""
    ordered = means.sort("strength")
    strengths = ordered["strength"].to_list()
    whole = [bool(one) for one in ordered["whole"].to_list()]
    return [strengths[k] for k in whole_window(whole, strengths.index(0))]


def _slope_row(
    outcome: str,
    short: pl.DataFrame,
    own: pl.DataFrame,
    sign: int,
    intervals: IntervalSettings,
) -> dict[str, Any]:
    """A row of `SLOPES` without its outcome and side.

    Args:
        outcome: of `SHORT_OUTCOMES`.
        short: `SHORT`.
        own: the direction's rows of one side, where text is whole.
        sign: of slopes that are as the side says.
        intervals: as in `slope_rows`.
    """
    none = short.filter(source=NONE)
    plain = float(none[outcome].to_numpy().mean())
    sizes = own["strength"].abs().unique().to_list()
    random = short.filter(pl.col("strength").is_in(sizes), source=RANDOM)
    slope = sign * _with_none(*_rates(outcome, own, "direction"), plain)
    others = sign * _with_none(*_rates(outcome, random, "draw"), plain)
    row: dict[str, Any] = {
        "strengths": len(sizes) + 1,
        "problems": none["problem"].n_unique(),
        "draws": len(others),
        "slope": float(slope[0]) if len(slope) else None,
    } | dict.fromkeys(("random_mean", "random_low", "random_high", "p", "holm"))
    if len(others):
        row |= {"random_mean": float(others.mean())}
        row |= {"random_low": float(others.min()), "random_high": float(others.max())}
    enough = (
        band_rank(len(others), intervals.confidence) > 0
        and row["problems"] >= intervals.least_problems
    )
    if enough and len(slope):
        row["p"] = rank_p(float(slope[0]), others)
    return row


def _rates(outcome: str, rows: pl.DataFrame, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, and means [vector, length]; vectors are told apart by a column."""
    table = (
        rows.group_by(by, size=pl.col("strength").abs())
        .agg(pl.col(outcome).mean())
        .sort(by, "size")
    )
    sizes = np.unique(table["size"].to_numpy())
    return sizes, table[outcome].to_numpy().reshape(-1, max(1, len(sizes)))


def _with_none(sizes: np.ndarray, rates: np.ndarray, plain: float) -> np.ndarray:
    """Slopes [vector] of means on length, with the mean of none at length 0."""
    if not len(sizes):
        return np.zeros(0)
    first = np.full((len(rates), 1), plain)
    return slopes(np.array([0.0, *sizes]), np.hstack([first, rates]))


def _wide(rows: pl.DataFrame, outcome: str) -> np.ndarray:
    """Means of an outcome, [problem, strength]; problems with all strengths."""
    table = rows.group_by("problem", "strength").agg(pl.col(outcome).mean())
    wide = table.pivot("strength", index="problem", values=outcome, sort_columns=False)
    names = sorted((name for name in wide.columns if name != "problem"), key=float)
    return wide.drop_nulls().sort("problem").select(names).to_numpy().astype(float)
