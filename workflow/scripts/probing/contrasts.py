"""One contrast at one boundary: its probe, its scores, and its check."""

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
from probing.probes import (
    Judged,
    Plan,
    cross_validate,
    fit_plain_probe,
    fit_probe,
    median_strength,
)
from probing.reading import GAP
from probing.tables import PROBING_SCORES

STAGE = "probing"
ROTATED = "probes fitted on rotated rows against unrotated ones"
ROTATED_STEPS, PLAIN_STEPS = 100, 10  # usual numbers, for the count of costs
ROTATION_BOUND = 1e-2  # log-odds: what a reader of the scores would not notice
STOPPED_BOUND = 0.01  # share of fits that may end early


@dataclass
class Shard:
    """What the boundaries of a shard gave."""

    scores: list[pl.DataFrame] = field(default_factory=list)
    directions: dict[str, np.ndarray] = field(default_factory=dict)
    difference: Largest = field(default_factory=Largest)
    """Largest |rotated - plain| score of the probes fitted twice."""
    fits: int = 0
    stopped: int = 0

    def verification(self) -> pl.DataFrame:
        """Rows of `schemas.VERIFICATION`; without a contrast nothing is compared."""
        rotation = VerificationRow(
            check=ROTATED,
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
    contrast: str, features: str, layer: int, cases: pl.DataFrame, judged: Judged
) -> pl.DataFrame:
    """`schemas.PROBING_SCORES` of one set of probes."""
    base = cases.select("trace", "event", "problem").with_columns(
        task=pl.lit(contrast),
        features=pl.lit(features),
        layer=pl.lit(layer, pl.Int32),
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


def fits_of(plan: Plan) -> int:
    """Fits behind one probe and its controls."""
    chosen = plan.inner_folds * len(plan.strengths)
    return plan.folds * (chosen + 1 + plan.shuffles) + 1


def fitted_twice(
    contrasts: dict[str, pl.DataFrame],
    boundaries: list[int],
    d_model: int,
    plan: Plan,
    settings: Verification,
) -> set[tuple[str | int, ...]]:
    """Contrast and boundary of the probes to fit again without rotation.

    Costs are multiplications, with the usual numbers of steps: of L-BFGS on the rotated
    rows, and of Newton's method on all features, each of which solves for all weights.

    Args:
        contrasts: cases by contrast.
        boundaries: of the shard.
        d_model: features of a case.
        plan: how probes are fitted.
        settings: how many are fitted twice.
    """

    def rotated(n: int) -> int:
        axes = min(n, d_model)
        rotations = (plan.folds + 1) * n * d_model * axes
        return rotations + fits_of(plan) * ROTATED_STEPS * 2 * n * axes

    def plain(n: int) -> int:
        return PLAIN_STEPS * (n * d_model**2 + d_model**3 // 3)

    work = sum(rotated(part.height) for part in contrasts.values()) * len(boundaries)
    cases = [
        Case((name, layer), plain(part.height))
        for name, part in contrasts.items()
        for layer in boundaries
    ]
    return {case.name for case in drawn(cases, work, settings)}


def probe_contrast(
    shard: Shard,
    name: str,
    cases: pl.DataFrame,
    at: tuple[int, np.ndarray],
    place: np.ndarray | None,
    plan: Plan,
    twice: bool,
) -> None:
    """Probe one contrast at one boundary.

    Args:
        shard: where the results go.
        name: of the contrast.
        cases: its cases.
        at: the boundary, and its features, [case, d_model], float64.
        place: [case, feature], position and depth; None but at boundary 0.
        plan: how.
        twice: whether to fit the probe again without rotation.
    """
    labels, problems = cases["label"].to_numpy(), cases["problem"].to_numpy()

    def judge(kind: str, layer: int, rows: np.ndarray) -> Judged:
        judged = cross_validate(rows, labels, problems, plan)
        shard.scores.append(score_rows(name, kind, layer, cases, judged))
        shard.fits += judged.fits
        shard.stopped += judged.stopped
        return judged

    if place is not None:
        judge("position", 0, place)
    layer, rows = at
    judged = judge("resid", layer, rows)
    strength = median_strength(judged.strengths)
    probe = fit_probe(rows, labels, strength)
    direction = probe.weight / max(np.linalg.norm(probe.weight), 1e-300)
    means = [rows[labels == flag].mean(0) for flag in (True, False)]
    gap = (means[0] - means[1]) @ direction
    shard.directions[f"{name}/{layer}"] = direction.astype(np.float32)
    shard.directions[f"{name}{GAP}/{layer}"] = np.array(gap, dtype=np.float32)
    if twice:
        plain = fit_plain_probe(rows, labels, strength)
        difference = np.abs(plain.scores(rows) - probe.scores(rows))
        shard.difference.add(float(difference.max()), len(difference))
