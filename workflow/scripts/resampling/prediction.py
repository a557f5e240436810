"""Do scores that are known before a word is drawn predict the resampled rate?

Detection is not prediction: a score that tells the study's turns from other sentences
may still not say how likely a turn was. So the rank correlation with the rate stands
beside the AUROC for the study's own turns. Kinds of boundaries differ in both, by the
way they are chosen; a correlation among ranks within each kind is free of that.
"""

from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.auroc import auroc
from doubletake.stats.draws import array_generator
from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings, jackknife_interval
from doubletake.stats.jackknife import without_each_cluster
from resampling.contrast import tested
from resampling.names import CLAIMED, KINDS, PARTS, SCORES, WITHIN
from resampling.tables import RESAMPLING_PREDICTION

SPLITS = 50
"""Random halves of the draws behind a reliability."""


def prediction_table(
    boundaries: pl.DataFrame, intervals: IntervalSettings, seed: int
) -> pl.DataFrame:
    """`RESAMPLING_PREDICTION`.

    Args:
        boundaries: `RESAMPLING`.
        intervals: how intervals are made.
        seed: of the halves of the draws.
    """
    rows = []
    for score in SCORES:
        known = boundaries.drop_nulls(score)
        for part in PARTS:
            inside = known.filter(kind=part) if part in KINDS else known
            if inside.height:
                rows.append(_row(inside, score, part, intervals, seed))
    claims = [row for row in rows if is_claim(row) and row["p"] is not None]
    p_values = np.array([row["p"] for row in claims])
    corrected = holm(p_values).tolist() if claims else []
    for row, p in zip(claims, corrected, strict=True):
        row["p_holm"] = p
    return RESAMPLING_PREDICTION.frame(rows)


def is_claim(row: dict[str, Any]) -> bool:
    """Whether the page claims something of a row."""
    return row["part"] == WITHIN and row["score"] in CLAIMED


def _row(
    boundaries: pl.DataFrame,
    score: str,
    part: str,
    intervals: IntervalSettings,
    seed: int,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "score": score,
        "part": part,
        "boundaries": boundaries.height,
        "problems": boundaries["problem"].n_unique(),
        "p_holm": None,
        **dict.fromkeys(("auroc", "auroc_low", "auroc_high")),
    }
    drawn = boundaries.drop_nulls("rate")
    row |= _correlation(drawn, score, part, intervals)
    row |= _without_noise(drawn, part, row["spearman"], seed)
    labels = boundaries["turned"].to_numpy()
    if part != WITHIN and labels.any() and not labels.all():
        row |= _detection(boundaries, score, intervals)
    return row


def _correlation(
    drawn: pl.DataFrame, score: str, part: str, intervals: IntervalSettings
) -> dict[str, float | None]:
    """The rank correlation with the rate, its interval and p-value."""
    if drawn.is_empty():
        return dict.fromkeys(("spearman", "spearman_low", "spearman_high", "p"))
    kinds = drawn["kind"].to_numpy() if part == WITHIN else None
    x, y = drawn[score].to_numpy(), drawn["rate"].to_numpy()

    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.array(
            [
                spearman(x[kept], y[kept], None if kinds is None else kinds[kept])
                for kept in weights > 0
            ]
        )

    return tested("spearman", statistic, drawn["problem"].to_numpy(), intervals)


def _without_noise(
    drawn: pl.DataFrame, part: str, value: float | None, seed: int
) -> dict[str, float | None]:
    """How reliable the rates are, and the correlation without their noise."""
    columns: dict[str, float | None] = dict.fromkeys(("reliability", "corrected"))
    if value is None:
        return columns
    kinds = drawn["kind"].to_numpy() if part == WITHIN else None
    hits, n = (drawn[name].to_numpy() for name in ("turns", "draws"))
    found = reliability(hits, n, kinds, seed)
    if np.isfinite(found) and found > 0:
        columns |= {"reliability": found, "corrected": value / found**0.5}
    return columns


def spearman(x: np.ndarray, y: np.ndarray, kinds: np.ndarray | None) -> float:
    """Rank correlation; NaN without variation.

    Args:
        x: [case].
        y: [case].
        kinds: [case]: cases are ranked within their kind, and ranks are counted from
            the middle of their kind; None: all together.
    """
    if kinds is None:
        kinds = np.zeros(len(x))
    first, second = (_middle_ranks(values, kinds) for values in (x, y))
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else float("nan")


def _middle_ranks(values: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Ranks within each kind minus their mean; ties get the mean of their ranks."""
    from scipy.stats import rankdata  # here, because its import is slow

    ranks = np.zeros(len(values))
    for kind in np.unique(kinds):
        inside = kinds == kind
        ranks[inside] = rankdata(values[inside]) - (inside.sum() + 1) / 2
    return ranks


def reliability(
    hits: np.ndarray, draws: np.ndarray, kinds: np.ndarray | None, seed: int
) -> float:
    """Rank correlation that rates of as many new draws would have with these.

    NaN where the halves do not agree, or do not vary.

    The draws are parted into random halves; the mean rank correlation r of the halves'
    rates is stepped up to all draws, 2 r / (1 + r) (Spearman 1910, Brown 1910).

    Args:
        hits: [boundary], draws that turn.
        draws: [boundary].
        kinds: as in `spearman`.
        seed: of the halves.
    """
    half = draws // 2
    found = []
    for k in range(SPLITS):
        first = array_generator(seed, k).hypergeometric(hits, draws - hits, half)
        found.append(spearman(first / half, (hits - first) / (draws - half), kinds))
    known = [value for value in found if not np.isnan(value)]
    r = float(np.mean(known)) if known else 0.0
    return 2 * r / (1 + r) if r > 0 else float("nan")


def _detection(
    boundaries: pl.DataFrame, score: str, intervals: IntervalSettings
) -> dict[str, float | None]:
    """AUROC of the score for the study's own turns."""
    scores, labels = boundaries[score].to_numpy(), boundaries["turned"].to_numpy()
    problems = boundaries["problem"].to_numpy()
    folds = np.zeros(len(scores))

    def statistic(weights: np.ndarray) -> np.ndarray:
        return auroc(scores, labels, folds, weights)

    values = without_each_cluster(statistic, problems)
    value, low, high = jackknife_interval(values, problems, intervals, is_share=True)
    return {"auroc": value, "auroc_low": low, "auroc_high": high}
