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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    Verification,
    with_verification,
)
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import indices_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from events.tables import EVENTS
from probing.contrasts import STAGE, Shard, fitted_twice, probe_contrast
from probing.probes import (
    Plan,
)
from probing.reading import write_tensors
from probing.tables import PROBING_SCORES
from traces.tables import TRACES
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("probing")


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
    boundaries = list(indices_of_shard(cache.n_layers + 1, name))
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
