"""How well would probes tell turns from wrap-ups without matching?

The published probes compare positions as they come. Here all backtracks are compared
with all wrap-ups in this way, to stand beside the probes of matched pairs (`probing`)
and the published claim (`reproduction`). At every boundary a logistic regression is
fitted on some problems and scores the positions of the others.

Inputs
    events: its digest shows that the cache belongs to it.
    turns: positions that predict a backtrack or a wrap-up (`TURNS`).
    index, caches: the activation cache of the study.

Outputs
    probes: AUROC at every boundary (`UNMATCHED_PROBES`); no row where a class has too
        few problems.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from activations.reading import ActivationCache, Origin
from doubletake.running.logs import Progress, job
from doubletake.stats.auroc import auroc
from doubletake.stats.folds import problem_folds
from doubletake.stats.intervals import IntervalSettings, jackknife_interval
from doubletake.stats.jackknife import without_each_cluster
from doubletake.stats.linear_probes import PrincipalAxes
from doubletake.stats.logistic_regression import balanced_weights, fit_logistic
from doubletake.study.settings import ModelSettings
from turns.tables import TURNS
from unmatched_probes.tables import UNMATCHED_PROBES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_unmatched_probes")
KINDS = ("backtrack", "wrap_up")


@dataclass(frozen=True)
class Settings:
    """Parts of the sections `probing` and `intervals`."""

    strengths: list[float]
    """Inverse strengths C of the L2 penalty, of which the middle one is used."""
    folds: int
    """Number of parts of the problems; each part is left out once."""
    seed: int
    """Seed of the folds."""
    intervals: IntervalSettings

    @property
    def strength(self) -> float:
        """The C of all fits: the middle one, of two the smaller."""
        # ASSUME: without a choice by data, C of all boundaries can be the same.
        return sorted(self.strengths)[(len(self.strengths) - 1) // 2]


def out_of_fold_scores(
    features: np.ndarray, labels: np.ndarray, folds: np.ndarray, strength: float
) -> np.ndarray:
    """Log-odds of every case, by a probe fitted on the other folds: [case].

    Args:
        features: [case, feature], float64.
        labels: [case], bool.
        folds: [case].
        strength: C of the penalty.
    """
    scores = np.zeros(len(labels))
    for fold in np.unique(folds):
        out = folds == fold
        axes = PrincipalAxes.of(features[~out])
        weights = balanced_weights(labels[~out])
        fit = fit_logistic(
            axes.coordinates(features[~out]), labels[~out], strength, weights
        )
        scores[out] = fit.scores(axes.coordinates(features[out]))
    return scores


def probe_rows(
    cases: pl.DataFrame,
    boundaries: int,
    read: Callable[[int], np.ndarray],
    settings: Settings,
) -> list[dict[str, Any]]:
    """Rows of `UNMATCHED_PROBES`; none where a class has too few problems.

    Args:
        cases: positions with the columns problem and label.
        boundaries: their number.
        read: gives the residual stream at a boundary, [case, d_model].
        settings: how.
    """
    labels, problems = (cases[name].to_numpy() for name in ("label", "problem"))
    fewest = min(len(np.unique(problems[labels == flag])) for flag in (True, False))
    if fewest < max(settings.folds, settings.intervals.least_problems):
        logger.warning("left out: a class has %d problem(s)", fewest)
        return []
    folds = problem_folds(problems, labels, settings.folds, settings.seed)
    progress, rows = Progress(boundaries, "probes"), []
    for boundary in range(boundaries):
        scores = out_of_fold_scores(read(boundary), labels, folds, settings.strength)
        values = without_each_cluster(partial(auroc, scores, labels, folds), problems)
        value, low, high = jackknife_interval(
            values, problems, settings.intervals, is_share=True
        )
        rows.append(
            {
                "boundary": boundary,
                "cases": len(labels),
                "backtracks": int(labels.sum()),
                "problems": len(np.unique(problems)),
                "strength": settings.strength,
                "auroc": value,
                "auroc_low": low,
                "auroc_high": high,
            }
        )
        progress.update(1)
    progress.close()
    return rows


def main(
    *,
    events_path: Path,
    turns_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    probes_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the turns and the cache, fit the probes, write their AUROC."""
    cases = TURNS.read(turns_path).filter(pl.col("kind").is_in(KINDS))
    cases = cases.select("trace", "event", "problem", label=pl.col("kind") == KINDS[0])
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))

    def read(boundary: int) -> np.ndarray:
        resid: np.ndarray = cache.read("resid", cases, layer=boundary).double().numpy()
        return resid

    rows = probe_rows(cases, cache.n_layers + 1, read, settings)
    UNMATCHED_PROBES.write(UNMATCHED_PROBES.frame(rows), probes_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            probes_path=Path(snakemake.output.probes),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
