"""Does the residual stream tell, layer by layer, that the model is about to turn back?

At every layer boundary a logistic regression per contrast
(`doubletake.stats.contrasts`) is fitted on some problems and scores the others. A shard
takes every n-th boundary; the one with boundary 0 also fits the probes on position and
depth alone. The probe on the token's embedding is that of boundary 0, which is that
embedding (times a constant, in models that scale it).

Inputs
    traces, events: `schemas.TRACES`, `schemas.EVENTS`.
    turns: `schemas.TURNS`, which turns are looked into.
    index, caches: the activation cache of the study.

Outputs, of one shard
    scores: `schemas.PROBING_SCORES`, every case by probes that do not know its problem.
    directions: as in `probing.reading`, one tensor per boundary; of probes fitted
        on all cases with the median of the folds' C.
    verification: `schemas.VERIFICATION`, the probes of all cases against plain ones by
        another solver (`probing.probes.fit_plain_probe`).
    runs: `schemas.RUNS`, one row.
"""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.running.logs import Progress, job
from doubletake.stats.contrasts import (
    BY_NAME,
    CONTRASTS,
    Counts,
    cases_of,
    position_features,
)
from doubletake.stats.verification import (
    Case,
    Largest,
    Verification,
    drawn,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import places_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, Figure, verification_of
from events.tables import EVENTS
from probing.probes import (
    Judged,
    Plan,
    cross_validate,
    fit_plain_probe,
    fit_probe,
    median_strength,
)
from probing.reading import GAP, write_tensors
from probing.tables import PROBING_SCORES
from traces.tables import TRACES
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("probing")

STAGE = "probing"
ROTATED = "probes fitted on rotated rows against unrotated ones"
ROTATED_STEPS, PLAIN_STEPS = 100, 10  # usual numbers, for the count of costs
ROTATION_BOUND = 1e-2  # log-odds: what a reader of the scores would not notice
STOPPED_BOUND = 0.01  # share of fits that may end early


@dataclass(frozen=True)
class Settings:
    """The `probing` section of the config, and the budget of verification."""

    strengths: list[float]
    """Inverse strengths C of the L2 penalty to choose from."""
    folds: int
    """Parts of the problems, each left out once."""
    inner_folds: int
    """Parts of a training fold's problems, on which C is chosen."""
    shuffles: int
    """Fits on shuffled labels."""
    seed: int
    """Of folds and shuffles."""
    verification: Verification
    """How many probes of a shard are fitted again without rotation."""

    @property
    def plan(self) -> Plan:
        """How probes are fitted and judged."""
        return Plan(
            strengths=tuple(sorted(self.strengths)),
            folds=self.folds,
            inner_folds=self.inner_folds,
            shuffles=self.shuffles,
            seed=self.seed,
        )


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
        rotation = Figure(
            check=ROTATED,
            statistic="largest difference of scores",
            value=self.difference.value,
            unit="log-odds",
            n=self.difference.n,
            bound=ROTATION_BOUND,
            merge="max",
        )
        convergence = Figure(
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


def compute(
    cache: ActivationCache,
    tables: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    settings: Settings,
    name: str,
) -> tuple[Shard, Progress, set[str], str]:
    """All contrasts at the boundaries of the shard.

    Args:
        cache: of the study.
        tables: turns, events, traces.
        settings: how.
        name: of the shard, k-of-n.

    Returns:
        What the shard gave, its progress, the traces it used, and its note.
    """
    boundaries = list(places_of_shard(cache.n_layers + 1, name))
    turns, events, traces = tables
    plan = settings.plan
    shard, used, left_out = Shard(), set(), []
    contrasts: dict[str, pl.DataFrame] = {}
    for contrast in CONTRASTS:
        cases = cases_of(contrast, turns, events, traces)
        reason = Counts.of(cases).why_too_few(BY_NAME[contrast.name], plan.folds)
        if reason is None:
            contrasts[contrast.name] = cases
        else:
            logger.warning("left out: %s", reason)
            left_out.append(reason)
    again = fitted_twice(
        contrasts, boundaries, cache.d_model, plan, settings.verification
    )
    progress = Progress(len(CONTRASTS) * len(boundaries), "probes")
    progress.update(len(left_out) * len(boundaries))
    for task, cases in contrasts.items():
        place = position_features(cases, events, traces) if 0 in boundaries else None
        for layer in boundaries:
            rows = cache.read("resid", cases, layer=layer).double().numpy()
            first = place if layer == 0 else None
            twice = (task, layer) in again
            probe_contrast(shard, task, cases, (layer, rows), first, plan, twice)
            progress.update(1)
        used |= set(cases["trace"])
    progress.close()
    note = f"left out: {'; '.join(left_out)}" if left_out and 0 in boundaries else ""
    return shard, progress, used, note


def main(
    *,
    traces_path: Path,
    events_path: Path,
    turns_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    scores_path: Path,
    directions_path: Path,
    verification_path: Path,
    runs_path: Path,
    shard: str,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables and the cache, fit the shard's probes, write what they say."""
    tables = (
        TURNS.read(turns_path),
        EVENTS.read(events_path),
        TRACES.read(traces_path),
    )
    origin = Origin.of(model, events_path)
    cache = ActivationCache(index_path, cache_paths, origin)
    done, progress, used, note = compute(cache, tables, settings, shard)
    run = {
        "stage": STAGE,
        "shard": shard,
        "traces": len(used),
        "tokens": 0,
        "seconds": progress.seconds,
        "device": f"cpu, {torch.get_num_threads()} thread(s)",
        "dtype": "float64",
        "note": note,
    }
    sizes = {"n_layers": str(cache.n_layers), "d_model": str(cache.d_model)}
    write_tensors(done.directions, asdict(origin) | sizes, directions_path)
    VERIFICATION.write(done.verification(), verification_path)
    RUNS.write(RUNS.frame([run]), runs_path)
    scores = pl.concat([PROBING_SCORES.schema.to_frame(), *done.scores])
    PROBING_SCORES.write(scores, scores_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            scores_path=Path(snakemake.output.scores),
            directions_path=Path(snakemake.output.directions),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
