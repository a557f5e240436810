"""The probe of one contrast at one layer boundary: its scores and their check."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from doubletake.stats.verification import (
    Case,
    Largest,
    Verification,
    drawn,
)
from doubletake.tables.verification import VerificationRow, verification_of
from probing.cross_validation import (
    OutOfFoldScores,
    ProbePlan,
    cross_validate,
    median_strength,
)
from probing.probes import fit_probe, fit_unrotated_probe
from probing.reading import GAP_SUFFIX
from probing.tables import PROBING_SCORES

STAGE = "probing"
ROTATION_CHECK = "probes fitted on rotated rows against unrotated ones"
LBFGS_STEPS, NEWTON_STEPS = 100, 10  # usual numbers of steps, to count costs
# ASSUME: a reader of the scores would not notice this difference; chosen by hand.
ROTATION_BOUND = 1e-2  # log-odds
# ASSUME: so few unfinished fits do not change the results; chosen by hand.
STOPPED_BOUND = 0.01  # share of fits


@dataclass
class ShardResults:
    """What the probes at the boundaries of a shard gave."""

    scores: list[pl.DataFrame] = field(default_factory=list)
    directions: dict[str, np.ndarray] = field(default_factory=dict)
    difference: Largest = field(default_factory=Largest)
    """Largest |rotated - unrotated| score of the probes fitted twice."""
    fits: int = 0
    stopped: int = 0

    def verification(self) -> pl.DataFrame:
        """Rows of the table `verification`; without a contrast nothing is compared."""
        rotation = VerificationRow(
            check=ROTATION_CHECK,
            statistic="largest difference of scores",
            value=self.difference.value,
            unit="log-odds",
            n=self.difference.n,
            bound=ROTATION_BOUND,
            merge="max",
        )
        convergence = VerificationRow(
            check="convergence of the fits",
            statistic="share of fits stopped early",
            value=self.stopped / self.fits if self.fits else None,
            unit="share",
            n=self.fits,
            bound=STOPPED_BOUND,
            merge="mean",
        )
        return verification_of(STAGE, [rotation, convergence])


def score_rows(
    contrast: str,
    features: str,
    boundary: int,
    cases: pl.DataFrame,
    judged: OutOfFoldScores,
) -> pl.DataFrame:
    """Rows of the table `probing/scores` of one probe and its shuffles."""
    base = cases.select("trace", "event", "problem").with_columns(
        contrast=pl.lit(contrast),
        features=pl.lit(features),
        boundary=pl.lit(boundary, pl.Int32),
        fold=pl.Series(judged.folds, dtype=pl.Int32),
        strength=pl.Series(judged.strengths[judged.folds], dtype=pl.Float64),
    )
    pairs = zip(judged.labels, judged.scores, strict=True)
    parts = [
        base.with_columns(
            shuffle=pl.lit(number, pl.Int32),
            label=pl.Series(labels, dtype=pl.Boolean),
            score=pl.Series(scores, dtype=pl.Float64),
        )
        for number, (labels, scores) in enumerate(pairs)
    ]
    return pl.concat(parts).select(list(PROBING_SCORES.schema))


def fits_per_probe(plan: ProbePlan) -> int:
    """Fits behind one probe and its controls."""
    inner_fits = plan.inner_folds * len(plan.strengths)
    return plan.folds * (inner_fits + 1 + plan.shuffles) + 1


def probes_to_refit(
    cases_by_contrast: dict[str, pl.DataFrame],
    boundaries: list[int],
    d_model: int,
    plan: ProbePlan,
    settings: Verification,
) -> set[tuple[str | int, ...]]:
    """Contrast and boundary of the probes to fit again without rotation.

    Costs are numbers of multiplications, for the usual numbers of steps: L-BFGS on the
    rotated rows; Newton's method on all features, which solves for all weights at every
    step.

    Args:
        cases_by_contrast: cases of each contrast.
        boundaries: of the shard.
        d_model: number of features.
        plan: how probes are fitted.
        settings: how many probes are fitted twice.
    """

    def rotated_cost(n: int) -> int:
        axes = min(n, d_model)
        rotations = (plan.folds + 1) * n * d_model * axes
        return rotations + fits_per_probe(plan) * LBFGS_STEPS * 2 * n * axes

    def unrotated_cost(n: int) -> int:
        return NEWTON_STEPS * (n * d_model**2 + d_model**3 // 3)

    sizes = {name: cases.height for name, cases in cases_by_contrast.items()}
    work = sum(map(rotated_cost, sizes.values())) * len(boundaries)
    candidates = [
        Case((name, boundary), unrotated_cost(n))
        for name, n in sizes.items()
        for boundary in boundaries
    ]
    return {case.name for case in drawn(candidates, work, settings)}


def probe_contrast(
    results: ShardResults,
    contrast: str,
    cases: pl.DataFrame,
    boundary: int,
    resid: np.ndarray,
    plan: ProbePlan,
    refit: bool,
) -> None:
    """Probe the residual stream for one contrast at one boundary.

    Args:
        results: where the results go.
        contrast: its name.
        cases: its cases.
        boundary: of the residual stream.
        resid: [case, d_model], float64, the residual stream there.
        plan: how.
        refit: whether to fit the probe again without rotation.
    """
    judged = add_scores(results, contrast, "resid", boundary, cases, resid, plan)
    labels = cases["label"].to_numpy()
    strength = median_strength(judged.strengths)
    probe = fit_probe(resid, labels, strength)
    direction = probe.weight / max(np.linalg.norm(probe.weight), 1e-300)
    means = [resid[labels == flag].mean(0) for flag in (True, False)]
    gap = (means[0] - means[1]) @ direction
    results.directions[f"{contrast}/{boundary}"] = direction.astype(np.float32)
    gap_key = f"{contrast}{GAP_SUFFIX}/{boundary}"
    results.directions[gap_key] = np.array(gap, dtype=np.float32)
    if refit:
        unrotated = fit_unrotated_probe(resid, labels, strength)
        difference = np.abs(unrotated.scores(resid) - probe.scores(resid))
        results.difference.add(float(difference.max()), len(difference))


def add_scores(
    results: ShardResults,
    contrast: str,
    kind: str,
    boundary: int,
    cases: pl.DataFrame,
    features: np.ndarray,
    plan: ProbePlan,
) -> OutOfFoldScores:
    """Cross-validate one probe, and add its scores and its counts to the results.

    Args:
        results: where the scores go.
        contrast: its name.
        kind: of the features: resid or depth.
        boundary: of the residual stream; 0 for depth.
        cases: of the contrast.
        features: [case, feature], float64.
        plan: how.
    """
    labels, problems, pairs = (
        cases[name].to_numpy() for name in ("label", "problem", "pair")
    )
    judged = cross_validate(features, labels, problems, pairs, plan)
    results.scores.append(score_rows(contrast, kind, boundary, cases, judged))
    results.fits += judged.fits
    results.stopped += judged.stopped
    return judged
