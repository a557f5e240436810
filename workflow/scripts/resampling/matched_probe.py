"""The study's matched probe, fitted again fold by fold, so that it scores any position.

`probing` keeps scores of its own cases only. Here its probe of a fold is fitted again:
on the same cases, with the same penalty and in the same coordinates. It scores the
positions of all problems of this fold, which it has not seen. A problem without a case
is in no fold; its score is the mean over the probes of all folds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from activations.reading import ActivationCache
from doubletake.stats.contrasts import CONTRASTS
from doubletake.stats.linear_probes import PrincipalAxes, Probe
from doubletake.stats.logistic_regression import balanced_weights, fit_logistic
from matches.reading import BACKTRACK_CONTROL, cases_of
from probing.tables import PROBING, PROBING_SCORES


@dataclass(frozen=True)
class MatchedProbe:
    """Probes by fold, at one boundary of the residual stream."""

    layer: int
    """Boundary of the residual stream with the highest AUROC in `probing`."""
    probes: dict[int, Probe]
    """By fold that was left out."""
    fold_of: dict[str, int]
    """By problem with a case."""
    scored: dict[tuple[str, int], float]
    """The scores of `probing` by trace and event."""

    def score(self, problem: str, state: np.ndarray) -> float:
        """Log-odds of turning back by probes that have not seen the problem.

        Args:
            problem: of the position.
            state: [d_model], the residual stream there.
        """
        fold = self.fold_of.get(problem)
        probes = self.probes.values() if fold is None else [self.probes[fold]]
        return float(np.mean([probe.scores(state[None])[0] for probe in probes]))


def best_layer(probing: pl.DataFrame) -> int | None:
    """The boundary at which the matched probe is best; None without a probe.

    Args:
        probing: `PROBING`.
    """
    rows = probing.filter(contrast=BACKTRACK_CONTROL)
    # ASSUME: the choice among a few layers by AUROC hardly favours the probe.
    best = rows.sort(["auroc", "boundary"], descending=[True, False])
    return int(best["boundary"][0]) if best.height else None


def matched_probe(
    probing_path: Path,
    scores_path: Path,
    matches: pl.DataFrame,
    cache: ActivationCache,
) -> MatchedProbe | None:
    """Fit the probes of all folds; None if the study has no matched probe.

    Args:
        probing_path: `PROBING`.
        scores_path: `PROBING_SCORES`.
        matches: `MATCHES`.
        cache: of the study's activations.
    """
    layer = best_layer(PROBING.read(probing_path))
    if layer is None:
        return None
    scores = PROBING_SCORES.read(scores_path).filter(
        contrast=BACKTRACK_CONTROL, features="resid", boundary=layer, shuffle=0
    )
    (contrast,) = (one for one in CONTRASTS if one.name == BACKTRACK_CONTROL)
    cases = cases_of(contrast, matches, cache.index).join(
        scores.select("trace", "event", "fold", "strength", "score"),
        on=["trace", "event"],
        maintain_order="left",
    )
    resid = cache.read("resid", cases, layer=layer).double().numpy()
    folds, labels, pairs, strengths = (
        cases[name].to_numpy() for name in ("fold", "label", "pair", "strength")
    )
    probes = {}
    for fold in sorted(set(folds.tolist())):
        seen = ~np.isin(pairs, pairs[folds == fold])
        strength = float(strengths[folds == fold][0])
        probes[fold] = fold_probe(resid[seen], labels[seen], strength)
    keys = zip(cases["trace"], cases["event"], strict=True)
    return MatchedProbe(
        layer,
        probes,
        dict(zip(cases["problem"], folds.tolist(), strict=True)),
        dict(zip(keys, cases["score"], strict=True)),
    )


def fold_probe(states: np.ndarray, labels: np.ndarray, strength: float) -> Probe:
    """The probe of the cases of a fold; one that knows nothing without both classes.

    Args:
        states: [case, d_model], float64.
        labels: [case], bool.
        strength: inverse strength C of the penalty.
    """
    if len(set(labels.tolist())) < 2:
        return Probe(np.zeros(states.shape[1]), 0.0)
    axes = PrincipalAxes.of(states)
    rows = axes.coordinates(states)
    return axes.probe_of(fit_logistic(rows, labels, strength, balanced_weights(labels)))
