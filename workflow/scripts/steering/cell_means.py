"""Turning and coherence of cells, compared with no steering on the same cases."""

import math
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from steering.names import NONE, RANDOM, SHORT_OUTCOMES, WITHIN
from steering.tables import CELL

NAMED = [column.name for column in CELL]


def cell_means(
    rows: pl.DataFrame, tolerance: float, intervals: IntervalSettings
) -> list[dict[str, Any]]:
    """Columns `CELL_MEANS`, one row per cell.

    Args:
        rows: of `SCREENING` or `SHORT`.
        tolerance: share of the coherence of none that whole text may lose.
        intervals: coverage, and fewest problems with an interval.
    """
    none = rows.filter(source=NONE)
    found = []
    for key, part in rows.group_by(NAMED, maintain_order=True):
        both = part.join(none, on="trace", suffix="_none", maintain_order="left")
        row = dict(zip(NAMED, key, strict=True))
        row |= {"draws": part["draw"].n_unique(), "cases": part.height}
        row |= {"problems": part["problem"].n_unique()}
        for outcome in SHORT_OUTCOMES:
            row |= outcome_means(both, outcome, intervals, steered=key[1] != NONE)
            row |= spread(part, outcome, intervals.confidence)
        row |= text_means(part, none, tolerance)
        found.append(row | {"ended": int(part["ended"].sum())})
    return found


def outcome_means(
    both: pl.DataFrame, outcome: str, intervals: IntervalSettings, *, steered: bool
) -> dict[str, float | None]:
    """The mean of an outcome of a cell, and its paired change against none."""
    one, plain = (
        both[name].to_numpy().astype(float) for name in (outcome, f"{outcome}_none")
    )
    problems = both["problem"].to_numpy()
    mean = cluster_means(one[:, None], problems, intervals, shares=True)[0]
    shift = cluster_means((one - plain)[:, None], problems, intervals)[0]
    changed = shift if steered else Mean(math.nan, None, None, 0, 0)
    return mean.columns(outcome) | changed.columns(f"{outcome}_shift")


def spread(
    part: pl.DataFrame, outcome: str, confidence: float
) -> dict[str, float | None]:
    """Means of the draws of a control: the ends, and the band of random vectors.

    Only draws that continue all cases of the cell are compared. With n means in order,
    the band goes from the k-th lowest to the k-th highest, k = floor((n + 1) (1 -
    confidence) / 2): so the mean of one more vector lies outside with a probability of
    at most 1 - confidence. With k = 0 there is no band.
    """
    names = [
        f"{outcome}_{end}" for end in ("lowest", "highest", "band_low", "band_high")
    ]
    nothing: dict[str, float | None] = dict.fromkeys(names)
    by_draw = part.group_by("draw").agg(pl.col(outcome).mean(), cases=pl.len())
    cases = part["trace"].n_unique()
    if by_draw.height < 2 or (by_draw["cases"] != cases).any():
        return nothing
    means = np.sort(by_draw[outcome].to_numpy())
    k = band_rank(len(means), confidence)
    ends = [float(means[0]), float(means[-1])]
    if part["source"][0] in (RANDOM, WITHIN) and k:
        ends += [float(means[k - 1]), float(means[-k])]
    return nothing | dict(zip(names, ends, strict=False))


def band_rank(draws: int, confidence: float) -> int:
    """Rank of the ends of a band among the rates of so many draws; 0: no band."""
    return math.floor((draws + 1) * (1 - confidence) / 2 + 1e-9)


def text_means(
    part: pl.DataFrame, none: pl.DataFrame, tolerance: float, tokens: str = "tokens"
) -> dict[str, Any]:
    """Columns `TEXT_MEANS`: how whole the texts are.

    Coherence is the geometric mean of the probabilities of all tokens without steering.
    It is compared with that of none on the same thoughts.

    Args:
        part: rows of texts.
        none: rows without steering, with the same thoughts.
        tolerance: share of the coherence that whole text may lose.
        tokens: the column with the number of tokens behind `logprob`.
    """
    same = none.filter(pl.col("trace").is_in(part["trace"].unique().to_list()))
    logprob, plain = _logprob(part, tokens), _logprob(same, tokens)
    kept = None
    if logprob is not None and plain is not None:
        kept = math.exp(logprob - plain)
    words = int(part["words"].sum())
    return {
        "logprob": logprob,
        "coherence": None if logprob is None else math.exp(logprob),
        "kept": kept,
        "whole": None if kept is None else kept > 1 - tolerance,
        "wait_share": int(part["waits"].sum()) / words if words else None,
        **{name: _mean(part[name]) for name in ("repeated_2", "repeated_3")},
        "compression": _mean(part["compression"]),
        "loops": int(part["loop"].sum()),
    }


def _logprob(part: pl.DataFrame, tokens: str) -> float | None:
    """Mean log-prob of a token, over all tokens of all texts that were scored."""
    scored = part.filter(pl.col("logprob").is_not_null())
    count = int(scored[tokens].sum())
    return float(scored["logprob"].sum()) / count if count else None


def _mean(column: pl.Series) -> float | None:
    values = column.drop_nulls().to_numpy()
    return float(values.mean()) if len(values) else None
