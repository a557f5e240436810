"""Turning and coherence of cells, compared with no steering on the same cases."""

import math
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, Mean, cluster_means
from steering.names import NONE, RANDOM, WITHIN
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
        draws = part["draw"].n_unique()
        turned, plain = (
            both[name].to_numpy().astype(float) for name in ("turned", "turned_none")
        )
        problems = both["problem"].to_numpy()
        rate = cluster_means(turned[:, None], problems, intervals, shares=True)[0]
        shift = cluster_means((turned - plain)[:, None], problems, intervals)[0]
        found.append(
            dict(zip(NAMED, key, strict=True))
            | {"draws": draws, "cases": part.height}
            | {"problems": part["problem"].n_unique()}
            | rate.columns("turn_rate")
            | (shift.columns("shift") if key[1] != NONE else _no_mean("shift"))
            | spread(part, intervals.confidence)
            | text_means(part, none, tolerance)
            | {"ended": int(part["ended"].sum())}
        )
    return found


def spread(part: pl.DataFrame, confidence: float) -> dict[str, float | None]:
    """Rates of the draws of a control: the ends, and the band of random vectors.

    Only draws that continue all cases of the cell are compared. With n rates in order,
    the band goes from the k-th lowest to the k-th highest, k = floor((n + 1) (1 -
    confidence) / 2): so the rate of one more vector lies outside with a probability of
    at most 1 - confidence. With k = 0 there is no band.
    """
    nothing = dict.fromkeys(("lowest", "highest", "band_low", "band_high"))
    by_draw = part.group_by("draw").agg(pl.col("turned").mean(), cases=pl.len())
    cases = part["trace"].n_unique()
    if by_draw.height < 2 or (by_draw["cases"] != cases).any():
        return nothing
    rates = np.sort(by_draw["turned"].to_numpy())
    ends = {"lowest": float(rates[0]), "highest": float(rates[-1])}
    k = band_rank(len(rates), confidence)
    if part["source"][0] not in (RANDOM, WITHIN) or not k:
        return nothing | ends
    return ends | {"band_low": float(rates[k - 1]), "band_high": float(rates[-k])}


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


def _no_mean(name: str) -> dict[str, float | None]:
    return Mean(math.nan, None, None, 0, 0).columns(name)
