"""Repair against damage: what thinking on does to the answer that a thought holds.

All functions take rows of `ARRIVALS` after which thought tokens follow (`thought_on`).
"""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm_of
from doubletake.stats.intervals import IntervalSettings
from repair.group_means import (
    GroupMeans,
    group_difference,
    group_means,
    group_ratios,
)
from repair.tables import (
    AHEAD,
    ARRIVAL,
    DAMAGE,
    DIFFERENCE,
    END,
    FORM,
    GAINS,
    LOST,
    MANY_TURNS,
    NEXT,
    POOLED,
    RATES,
    REPAIR,
    SHIFTS,
    STRAIGHT,
    TURNS,
)

SHIFTED = pl.col("answer").ne_missing(pl.col("next_answer"))
"""Whether the forced answer changes. No answer counts as an answer of its own."""


def thought_on(arrivals: pl.DataFrame) -> pl.DataFrame:
    """The arrivals after which the thought goes on."""
    return arrivals.filter(pl.col("tokens_after") > 0)


def rates_by_arrival(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`RATES`: repair (wrong to right) and damage (right to wrong), also of all."""
    numbers = _numbers(arrivals)
    rows: list[dict[str, Any]] = []
    for until, later in ((NEXT, "next_correct"), (END, "end_correct")):
        for change, now in ((REPAIR, False), (DAMAGE, True)):
            cases = arrivals.filter(correct=now)
            both = pl.concat([cases, cases.with_columns(arrival=pl.lit(0, pl.Int32))])
            means = _means(both, both[later] != now, [0, *numbers], s, shares=True)
            for group, number in enumerate([None, *numbers]):
                if means.n[group]:
                    rows.append(
                        {"arrival": number, "until": until, "change": change}
                        | means.columns("rate", group)
                        | means.cases(group)
                    )
    return RATES.frame(rows)


def gain_by_arrival(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`GAINS`: whether thinking on is worth its tokens.

    The p-values of the arrivals are corrected for their number. The rows of all
    arrivals and of the form of the answer are one test each.
    """
    numbers = _numbers(arrivals)
    if not numbers:
        return GAINS.frame([])
    ends = arrivals.group_by("trace", maintain_order=True).first()
    pooled, form = numbers[-1] + 1, numbers[-1] + 2
    cases = pl.concat(
        [
            arrivals,
            arrivals.with_columns(arrival=pl.lit(pooled, pl.Int32)),
            ends.select(arrivals.columns).with_columns(
                arrival=pl.lit(form, pl.Int32),
                correct=pl.col("forced_end_correct"),
                tokens_after=pl.lit(0, pl.Int32),
            ),
        ]
    )
    groups = [*numbers, pooled, form]
    change = cases["end_correct"].cast(float) - cases["correct"].cast(float)
    gains = _means(cases, change, groups, s)
    accuracy = _means(cases, cases["correct"], groups, s, shares=True)
    at_end = _means(cases, cases["end_correct"], groups, s, shares=True)
    tokens = _means(cases, cases["tokens_after"], groups, s)
    prices = group_ratios(
        100 * change.to_numpy(),
        cases["tokens_after"].to_numpy(),
        *_keys(cases, groups),
        s,
    )
    corrected = np.full(len(groups), np.nan)
    corrected[: len(numbers)] = holm_of(gains.p[: len(numbers)])
    rows = []
    for group, number in enumerate(groups):
        start = {pooled: POOLED, form: FORM}.get(number, ARRIVAL)
        rows.append(
            {"start": start, "arrival": number if start == ARRIVAL else None}
            | accuracy.columns("accuracy", group)
            | at_end.columns("end_accuracy", group)
            | gains.columns("gain", group)
            | gains.p_values(group, corrected)
            | {"tokens_after": float(tokens.value[group])}
            | prices.columns("gain_per_100", group)
            | gains.cases(group)
        )
    return GAINS.frame(rows)


def belief_shift(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`SHIFTS`: how often the forced answer changes across a turn, and without one.

    The last row is the difference, if there are steps of both kinds.
    """
    cases = arrivals.with_columns(shifted=SHIFTED)
    rows: list[dict[str, Any]] = []
    for turn in TURNS:
        own = cases.filter(turn=turn)
        if own.height:
            mean = _one(own, own["shifted"], s, shares=True)
            rows.append(
                {"turn": turn, **mean.columns("shift", 0), **mean.cases(0)}
                | {"tokens": own["tokens_next"].mean()}
            )
    compared = cases.filter(pl.col("turn").is_in([AHEAD, STRAIGHT]))
    if compared["turn"].n_unique() == 2:
        straight = (compared["turn"] == STRAIGHT).to_numpy()
        difference = group_difference(
            compared["shifted"].to_numpy(), compared["problem"].to_numpy(), straight, s
        )
        columns = difference.columns("shift", 0) | difference.cases(0)
        tokens = compared["tokens_next"].mean()
        rows.append({"turn": DIFFERENCE, **columns, "tokens": tokens})
    return SHIFTS.frame(rows)


def lost_answers(arrivals: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`LOST`: thoughts that were right at an arrival and end wrong, and the reverse."""
    thoughts = arrivals.group_by("trace", maintain_order=True).agg(
        pl.col("problem", "end_correct").first(),
        pl.col("turns").first().clip(upper_bound=MANY_TURNS),
        was_right=pl.col("correct").any(),
    )
    was, ends = pl.col("was_right"), pl.col("end_correct")
    outcomes = {"lost": was & ~ends, "gained": ~was & ends, "kept": was & ends}
    rows: list[dict[str, Any]] = []
    for turns in [None, *thoughts["turns"].unique().sort()]:
        own = thoughts if turns is None else thoughts.filter(turns=turns)
        row: dict[str, Any] = {"turns": turns}
        for name, outcome in outcomes.items():
            flags = own.select(outcome.alias("flag"))["flag"]
            if own.height:
                mean = _one(own, flags, s, shares=True)
                row |= mean.columns(name, 0) | mean.cases(0)
        if own.height:
            rows.append(row)
    return LOST.frame(rows)


def _numbers(arrivals: pl.DataFrame) -> list[int]:
    """The numbers of arrivals, in order."""
    return arrivals["arrival"].unique().sort().to_list()


def _keys(cases: pl.DataFrame, groups: list[int]) -> tuple[np.ndarray, np.ndarray, int]:
    """Problem and index of the group of each case, and the number of groups."""
    index = np.searchsorted(groups, cases["arrival"].to_numpy())
    return cases["problem"].to_numpy(), index, len(groups)


def _means(
    cases: pl.DataFrame,
    values: pl.Series,
    groups: list[int],
    s: IntervalSettings,
    *,
    shares: bool = False,
) -> GroupMeans:
    """Means of values of cases by their number of the arrival, one of `groups`."""
    return group_means(values.to_numpy(), *_keys(cases, groups), s, shares=shares)


def _one(
    cases: pl.DataFrame, values: pl.Series, s: IntervalSettings, *, shares: bool
) -> GroupMeans:
    """The mean over all cases, as one group."""
    index = np.zeros(cases.height, dtype=int)
    problems = cases["problem"].to_numpy()
    return group_means(values.to_numpy(), problems, index, 1, s, shares=shares)
