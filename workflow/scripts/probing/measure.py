"""Does the residual stream tell, layer by layer, that the model is about to turn back?

At every layer boundary one logistic regression per contrast
(`doubletake.stats.contrasts`) is fitted on some problems, without the partners of the
cases of the other problems, and scores these cases. A shard takes every n-th boundary.
The shard with boundary 0 also fits the probes on token position and depth alone. The
probe on the token's embedding is the probe at boundary 0: the residual stream there is
that embedding (times a constant, in models that scale it).

Inputs
    events: its digest shows that the cache belongs to it.
    matches: the table `matches`. All its pairs are cases.
    index, caches: the activation cache of the study.

Outputs, of one shard
    scores: `probing/scores`, the score of every case by probes that have not seen its
        problem or its partner.
    directions: as in `probing.reading`, one tensor per boundary; from probes fitted on
        all cases with the median of the folds' C.
    verification: the probes of all cases against the same probes by another solver
        (`probing.probes.fit_unrotated_probe`).
    runs: one row.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.running.logs import Progress, job
from doubletake.stats.contrasts import CONTRASTS, ClassCounts
from doubletake.stats.verification import (
    Verification,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import indices_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.tensors.sealed_tensors import write_tensors
from matches.reading import cases_of
from matches.tables import MATCHES, NUMBERS
from probing.boundary_probes import (
    STAGE,
    ShardResults,
    add_scores,
    probe_contrast,
    probes_to_refit,
)
from probing.cross_validation import ProbePlan
from probing.tables import PROBING_SCORES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_probing")


@dataclass(frozen=True)
class Settings:
    """The `probing` section of the config, and parts of other sections."""

    strengths: list[float]
    """Inverse strengths C of the L2 penalty to choose from."""
    folds: int
    """Number of parts of the problems; each part is left out once."""
    inner_folds: int
    """Number of parts of a training fold's problems, for the choice of C."""
    shuffles: int
    """Number of fits on shuffled labels."""
    seed: int
    """Seed of folds and shuffles."""
    verification: Verification
    """How many probes of a shard are fitted again without rotation."""
    least_problems: int
    """Fewest problems with an interval: with fewer, no probe is fitted."""

    @property
    def plan(self) -> ProbePlan:
        """How probes are fitted and judged."""
        return ProbePlan(
            strengths=tuple(sorted(self.strengths)),
            folds=self.folds,
            inner_folds=self.inner_folds,
            shuffles=self.shuffles,
            seed=self.seed,
        )


def probed_contrasts(
    matches: pl.DataFrame, index: pl.DataFrame, settings: Settings
) -> tuple[dict[str, pl.DataFrame], list[str]]:
    """Cases of the contrasts that have enough problems, and why others are left out.

    Args:
        matches: the table `matches`.
        index: of the activation cache.
        settings: with the number of problems that each class needs.
    """
    cases_by_contrast: dict[str, pl.DataFrame] = {}
    reasons = []
    for contrast in CONTRASTS:
        cases = cases_of(contrast, matches, index)
        reason = ClassCounts.of(cases).why_too_few(
            contrast, settings.folds, settings.least_problems
        )
        if reason is None:
            cases_by_contrast[contrast.name] = cases
        else:
            logger.warning("left out: %s", reason)
            reasons.append(reason)
    return cases_by_contrast, reasons


def probe_shard(
    cache: ActivationCache, matches: pl.DataFrame, settings: Settings, shard: str
) -> tuple[ShardResults, Progress, set[str], str]:
    """Probe all contrasts at the boundaries of the shard.

    Args:
        cache: of the study.
        matches: the table `matches`.
        settings: how.
        shard: its name, k-of-n.

    Returns:
        Results of the shard, its progress, the traces that it used, and its note.
    """
    boundaries = list(indices_of_shard(cache.n_layers + 1, shard))
    plan = settings.plan
    cases_by_contrast, left_out = probed_contrasts(matches, cache.index, settings)
    refits = probes_to_refit(
        cases_by_contrast, boundaries, cache.d_model, plan, settings.verification
    )
    results = ShardResults()
    traces_used: set[str] = set()
    progress = Progress(len(CONTRASTS) * len(boundaries), "probes")
    progress.update(len(left_out) * len(boundaries))
    for name, cases in cases_by_contrast.items():
        if 0 in boundaries:
            # ASSUME: four linear features are all that position tells without thinking.
            depth = cases.select(NUMBERS).cast(pl.Float64).to_numpy()
            add_scores(results, name, "depth", 0, cases, depth, plan)
        for boundary in boundaries:
            resid = cache.read("resid", cases, layer=boundary).double().numpy()
            refit = (name, boundary) in refits
            probe_contrast(results, name, cases, boundary, resid, plan, refit)
            progress.update(1)
        traces_used |= set(cases["trace"])
    progress.close()
    note = f"left out: {'; '.join(left_out)}" if left_out and 0 in boundaries else ""
    return results, progress, traces_used, note


def main(
    *,
    events_path: Path,
    matches_path: Path,
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
    """Read the tables and the cache, fit the shard's probes, write their results."""
    matches = MATCHES.read(matches_path)
    origin = Origin.of(model, events_path)
    cache = ActivationCache(index_path, cache_paths, origin)
    results, progress, traces_used, note = probe_shard(cache, matches, settings, shard)
    run = {
        "stage": STAGE,
        "shard": shard,
        "traces": len(traces_used),
        "tokens": 0,
        "seconds": progress.seconds,
        "device": f"cpu, {torch.get_num_threads()} thread(s)",
        "dtype": "float64",
        "note": note,
    }
    sizes = {"n_layers": str(cache.n_layers), "d_model": str(cache.d_model)}
    write_tensors(results.directions, asdict(origin) | sizes, directions_path)
    VERIFICATION.write(results.verification(), verification_path)
    RUNS.write(RUNS.frame([run]), runs_path)
    scores = pl.concat([PROBING_SCORES.schema.to_frame(), *results.scores])
    PROBING_SCORES.write(scores, scores_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            scores_path=Path(snakemake.output.scores),
            directions_path=Path(snakemake.output.directions),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **with_verification(snakemake.params.settings),
                least_problems=snakemake.params.least_problems,
            ),
        )
