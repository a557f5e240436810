"""The matched probe, fitted again on pairs of the fit problems alone.

One logistic regression per boundary tells backtracks from their matched controls
(`doubletake.stats.linear_probes`). Both members of a pair belong to fit problems. Its
controls are fits in which each pair keeps its labels or swaps them.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from activations.reading import ActivationCache
from doubletake.stats.auroc import auroc
from doubletake.stats.contrasts import CONTRAST_BY_NAME, ClassCounts
from doubletake.stats.draws import array_generator
from doubletake.stats.folds import problem_folds
from doubletake.stats.linear_probes import PrincipalAxes
from doubletake.stats.logistic_regression import balanced_weights, fit_logistic
from doubletake.stats.swapped_labels import swapped_labels
from matches.reading import BACKTRACK_CONTROL

CONTRAST = CONTRAST_BY_NAME[BACKTRACK_CONTROL]


@dataclass(frozen=True)
class ProbeSettings:
    """How the probe is fitted."""

    strength: float
    """Inverse strength C of the L2 penalty."""
    folds: int
    """Parts of the fit problems, for the choice of the boundary."""
    shuffles: int
    """Fits on swapped labels."""
    seed: int
    """Seed of folds and swaps."""


@dataclass
class MatchedProbe:
    """Probes of all boundaries; index 0 of the first axis is the fit on true labels."""

    vectors: np.ndarray
    """[1 + draw, boundary, d_model], unit vectors."""
    gaps: np.ndarray
    """[1 + draw, boundary], distance of the classes' means along them."""
    scores: np.ndarray
    """[boundary, case], by probes that have not seen the case's problem."""
    aurocs: np.ndarray
    """[boundary], of these scores."""
    fits: int = 0
    stopped: int = 0
    """Fits that ended before the minimum."""

    @property
    def best_boundary(self) -> int:
        """Boundary of the highest AUROC; the token's embedding (0) does not count."""
        return 1 + int(np.argmax(self.aurocs[1:]))


def why_no_probe(
    cases: pl.DataFrame, settings: ProbeSettings, least_problems: int
) -> str | None:
    """Why there is no probe; None if there are enough problems."""
    counts = ClassCounts.of(cases)
    return counts.why_too_few(CONTRAST, settings.folds, least_problems)


def fit_matched_probe(
    cache: ActivationCache, cases: pl.DataFrame, settings: ProbeSettings
) -> MatchedProbe:
    """Fit the probe at every boundary.

    Args:
        cache: of the study.
        cases: members of whole pairs, all of fit problems.
        settings: how.
    """
    labels, pairs, problems = (
        cases[name].to_numpy() for name in ("label", "pair", "problem")
    )
    rng = array_generator(settings.seed, 0)
    swapped = swapped_labels(labels, pairs, settings.shuffles, rng)
    folds = problem_folds(problems, labels, settings.folds, settings.seed)
    shape = 1 + settings.shuffles, cache.n_layers + 1
    probe = MatchedProbe(
        np.zeros((*shape, cache.d_model)),
        np.zeros(shape),
        np.zeros((shape[1], len(labels))),
        np.zeros(shape[1]),
    )
    for boundary in range(shape[1]):
        resid = cache.read("resid", cases, layer=boundary).double().numpy()
        for draw, own in enumerate([labels, *swapped]):
            weight = _weight(probe, resid, own, settings.strength)
            unit = weight / max(np.linalg.norm(weight), 1e-300)
            probe.vectors[draw, boundary] = unit
            gap = resid[own].mean(0) - resid[~own].mean(0)
            probe.gaps[draw, boundary] = gap @ unit
        scores = _scores_of_others(probe, resid, labels, pairs, folds, settings)
        probe.scores[boundary] = scores
        ones = np.ones((1, len(labels)))
        probe.aurocs[boundary] = auroc(scores, labels, folds, ones)[0]
    return probe


def _scores_of_others(
    probe: MatchedProbe,
    resid: np.ndarray,
    labels: np.ndarray,
    pairs: np.ndarray,
    folds: np.ndarray,
    settings: ProbeSettings,
) -> np.ndarray:
    """Each case's score by a probe without its fold and its fold's partners: [case]."""
    scores = np.zeros(len(labels))
    for fold in range(settings.folds):
        judged = folds == fold
        others = ~np.isin(pairs, pairs[judged])
        if labels[others].any() and not labels[others].all():
            weight = _weight(probe, resid[others], labels[others], settings.strength)
            scores[judged] = resid[judged] @ weight
    return scores


def _weight(
    probe: MatchedProbe, features: np.ndarray, labels: np.ndarray, strength: float
) -> np.ndarray:
    """Weights of one fit, per unit of the residual stream; counts the fit."""
    axes = PrincipalAxes.of(features)
    rows = axes.coordinates(features)
    fit = fit_logistic(rows, labels, strength, balanced_weights(labels))
    probe.fits += 1
    probe.stopped += not fit.converged
    return axes.probe_of(fit).weight
