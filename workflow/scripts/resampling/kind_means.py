"""Mean importance by kind of sentence, and whether it differs from other sentences.

The mean keeps the sign, and kinds are compared by it. It says little of how much
sentences matter, because signs cancel. The absolute value would grow with the noise of
few rollouts. So the size is the square without the part that this noise adds: its
expectation is the square of the true difference, whatever the number of rollouts.
"""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, cluster_means
from resampling.contrast import tested
from resampling.names import CAUSE, MEASURES, NO_CAUSE, OTHER, SENTENCE_KINDS
from resampling.tables import RESAMPLING_IMPORTANCE


def sizes(sentences: pl.DataFrame) -> pl.DataFrame:
    """`RESAMPLING_SENTENCES` with a column `MEASURE_size` for every measure."""

    def noise(share: pl.Expr, n: pl.Expr) -> pl.Expr:
        """Unbiased estimate of the variance of a share; null for one rollout."""
        return pl.when(n > 1).then(share * (1 - share) / (n - 1))

    after = noise(pl.col("accuracy_after"), pl.col("after"))
    unlike = pl.col("counterfactual") + pl.col("accuracy_after")
    return sentences.with_columns(
        resampled_size=pl.col("resampled") ** 2
        - after
        - noise(pl.col("accuracy_before"), pl.col("before")),
        counterfactual_size=pl.col("counterfactual") ** 2
        - after
        - noise(unlike, pl.col("dissimilar")),
        forced_size=pl.col("forced") ** 2,
        divergence_size=pl.col("divergence") - pl.col("divergence_null"),
    )


def groups(sentences: pl.DataFrame) -> dict[str, pl.Series]:
    """Of each kind: which sentences belong to it."""
    found = {kind: sentences["kind"] == kind for kind in SENTENCE_KINDS}
    if sentences["cause"].count():
        holds = sentences["cause"].fill_null(value=False)
        found |= {CAUSE: holds, NO_CAUSE: ~holds}
    return found


def importance_table(
    sentences: pl.DataFrame, intervals: IntervalSettings
) -> pl.DataFrame:
    """`RESAMPLING_IMPORTANCE` of all sentences.

    Args:
        sentences: `RESAMPLING_SENTENCES`.
        intervals: how intervals are made.
    """
    table = sizes(sentences)
    rows = []
    members = groups(table) if table.height else {}
    for measure in MEASURES:
        for kind, inside in members.items():
            reference = {CAUSE: NO_CAUSE, NO_CAUSE: None, OTHER: None}.get(kind, OTHER)
            others = None if reference is None else members[reference]
            row = _row(table, measure, kind, inside, others, intervals)
            rows += [] if row is None else [row]
    p_values = [row["p"] for row in rows if row["p"] is not None]
    corrected = iter(holm(np.array(p_values)).tolist() if p_values else [])
    for row in rows:
        row["p_holm"] = None if row["p"] is None else next(corrected)
    return RESAMPLING_IMPORTANCE.frame(rows)


def _row(
    table: pl.DataFrame,
    measure: str,
    kind: str,
    inside: pl.Series,
    others: pl.Series | None,
    intervals: IntervalSettings,
) -> dict[str, Any] | None:
    """A row of the table without `p_holm`; None without a sentence."""
    own = table.filter(inside).drop_nulls(measure)
    if own.is_empty():
        return None
    size = f"{measure}_size"
    values = own.select(
        pl.col(measure, size).cast(pl.Float64).fill_null(float("nan"))
    ).to_numpy()
    value, mean_size = cluster_means(values, own["problem"].to_numpy(), intervals)
    row: dict[str, Any] = {
        "measure": measure,
        "kind": kind,
        "sentences": own.height,
        "problems": own["problem"].n_unique(),
        **_within_bounds(value.columns("value"), measure),
        **mean_size.columns("size"),
        **dict.fromkeys(("difference", "difference_low", "difference_high", "p")),
    }
    if others is not None:
        both = pl.concat(
            [
                table.filter(flags).with_columns(own=pl.lit(mark))
                for flags, mark in ((inside, True), (others, False))
            ]
        ).drop_nulls(measure)
        # Chance alone makes a divergence, and more where answers vary.
        is_divergence = measure == "divergence"
        row |= _difference(both, size if is_divergence else measure, intervals)
    return row


def _within_bounds(
    columns: dict[str, float | None], measure: str
) -> dict[str, float | None]:
    """Ends of an interval, at most 1 away from 0: a difference of two shares is not."""
    if measure == "divergence":
        return columns
    return {
        name: None if value is None else min(max(value, -1.0), 1.0)
        for name, value in columns.items()
    }


def _difference(
    both: pl.DataFrame, column: str, intervals: IntervalSettings
) -> dict[str, float | None]:
    """The difference of the means, with its interval and p-value."""
    values, own = both[column].to_numpy(), both["own"].to_numpy()
    empty = dict.fromkeys(("difference", "difference_low", "difference_high", "p"))
    fewest = min(both.filter(own=flag)["problem"].n_unique() for flag in (True, False))
    if not fewest:
        return empty

    def mean(weights: np.ndarray, flags: np.ndarray) -> np.ndarray:
        inside = weights[:, flags]
        with np.errstate(invalid="ignore"):
            return np.asarray((inside * values[flags]).sum(1) / inside.sum(1))

    def statistic(weights: np.ndarray) -> np.ndarray:
        return mean(weights, own) - mean(weights, ~own)

    problems = both["problem"].to_numpy()
    columns = tested("difference", statistic, problems, intervals)
    # A difference is as sure as the smaller of its groups allows.
    is_enough = fewest >= intervals.least_problems
    return columns if is_enough else empty | {"difference": columns["difference"]}
