"""How well does each probe tell its classes apart, beside its controls?

Inputs
    scores: out-of-fold scores of all probes (`schemas.PROBING_SCORES`).
    traces, events, turns: how many cases each contrast has.
    directions: of the shards.

Outputs
    probing: one row per contrast and layer boundary (`schemas.PROBING`).
    tasks: one row per contrast, with the reason where it has no probe
        (`schemas.PROBING_TASKS`).
    directions: of all boundaries, as in `probing.reading`.
"""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRASTS, Counts, cases_of
from doubletake.stats.intervals import Resampling
from events.tables import EVENTS
from probing.discrimination import Draws, accuracy, auroc, interval
from probing.reading import merge_directions
from probing.tables import PROBING, PROBING_SCORES, PROBING_TASKS
from traces.tables import TRACES
from turns.tables import TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_probing")

MEASURES = ("auroc", "accuracy")
CONTROLS = ("shuffled", "token", "position")


def measures(part: pl.DataFrame, draws: Draws) -> dict[str, np.ndarray]:
    """AUROC and accuracy of one probe in every draw, [1 + resample] each.

    Args:
        part: rows of one shuffle of `schemas.PROBING_SCORES`, by trace and event.
        draws: of the contrast's cases, in the same order.
    """
    scores, labels = part["score"].to_numpy(), part["label"].to_numpy()
    folds = part["fold"].to_numpy()
    return {
        "auroc": auroc(scores, labels, folds, draws.weights),
        "accuracy": accuracy(scores, labels, draws.weights),
    }


def mean_measures(part: pl.DataFrame, draws: Draws) -> dict[str, np.ndarray]:
    """Means of AUROC and accuracy over the shuffles of a probe."""
    found = [measures(rows, draws) for rows in part.partition_by("shuffle")]
    return {name: np.mean([f[name] for f in found], axis=0) for name in MEASURES}


def fold_range(part: pl.DataFrame) -> dict[str, float]:
    """AUROC of the worst and of the best fold."""
    one = np.ones((1, part.height))
    labels, scores = part["label"].to_numpy(), part["score"].to_numpy()
    folds = part["fold"].to_numpy()
    found = [
        float(auroc(scores[at], labels[at], folds[at], one[:, at])[0])
        for at in (folds == fold for fold in np.unique(folds))
    ]
    return {"auroc_fold_lowest": min(found), "auroc_fold_highest": max(found)}


def summarise_task(scores: pl.DataFrame, resampling: Resampling) -> list[dict]:
    """Rows of `schemas.PROBING` of one contrast.

    Args:
        scores: its rows of `schemas.PROBING_SCORES`.
        resampling: how intervals are drawn.
    """
    scores = scores.sort("features", "layer", "shuffle", "trace", "event")
    true = scores.filter(shuffle=0)
    place = true.filter(features="position")
    draws = Draws.of(place["problem"].to_numpy(), resampling)
    resid = true.filter(features="resid")
    fixed = {
        "token": measures(resid.filter(layer=0), draws),
        "position": measures(place, draws),
    }
    rows = []
    for (layer,), part in resid.group_by("layer", maintain_order=True):
        null = scores.filter(pl.col("shuffle") > 0, features="resid", layer=layer)
        found = fixed | {
            "": measures(part, draws),
            "shuffled": mean_measures(null, draws),
        }
        strengths = part.select("fold", "strength").unique()["strength"].sort()
        row: dict[str, Any] = {
            "task": part["task"][0],
            "layer": layer,
            "cases": part.height,
            "positives": int(part["label"].sum()),
            "problems": part["problem"].n_unique(),
            "strength": strengths[(len(strengths) - 1) // 2],
            **fold_range(part),
        }
        for measure in MEASURES:
            row |= _figures(measure, found, resampling.confidence)
        rows.append({name: row[name] for name in PROBING.schema})
    return rows


def _figures(
    measure: str, found: dict[str, dict[str, np.ndarray]], confidence: float
) -> dict[str, float]:
    """A measure, its controls and its distance to the highest, with intervals."""
    best = np.max([found[name][measure] for name in CONTROLS], axis=0)
    selectivity = "selectivity" if measure == "auroc" else f"selectivity_{measure}"
    named = {measure: found[""][measure], selectivity: found[""][measure] - best}
    named |= {f"{name}_{measure}": found[name][measure] for name in CONTROLS}
    row: dict[str, float] = {}
    for name, values in named.items():
        ends = (name, f"{name}_low", f"{name}_high")
        row |= dict(zip(ends, interval(values, confidence), strict=True))
    return row


def task_rows(
    turns: pl.DataFrame, events: pl.DataFrame, traces: pl.DataFrame, folds: int
) -> pl.DataFrame:
    """`schemas.PROBING_TASKS`: how much each contrast has to tell apart."""
    rows = []
    for contrast in CONTRASTS:
        counts = Counts.of(cases_of(contrast, turns, events, traces))
        reason = counts.why_too_few(contrast, folds)
        rows.append({"task": contrast.name, **asdict(counts), "left_out": reason})
    return PROBING_TASKS.frame(rows)


def summarise(scores: pl.DataFrame, resampling: Resampling) -> pl.DataFrame:
    """`schemas.PROBING`: all contrasts and boundaries."""
    parts = scores.partition_by("task", maintain_order=True)
    return PROBING.frame(
        [row for part in parts for row in summarise_task(part, resampling)]
    )


def main(
    *,
    scores_path: Path,
    turns_path: Path,
    events_path: Path,
    traces_path: Path,
    direction_parts: list[Path],
    probing_path: Path,
    tasks_path: Path,
    directions_path: Path,
    folds: int,
    resampling: Resampling,
) -> None:
    """Read the scores, judge every probe, write the tables and the directions."""
    tables = (
        TURNS.read(turns_path),
        EVENTS.read(events_path),
        TRACES.read(traces_path),
    )
    tasks = task_rows(*tables, folds)
    found = summarise(PROBING_SCORES.read(scores_path), resampling)
    logger.info("%d probes of %d contrasts", found.height, found["task"].n_unique())
    PROBING_TASKS.write(tasks, tasks_path)
    merge_directions(direction_parts, directions_path)
    PROBING.write(found, probing_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            scores_path=Path(snakemake.input.scores),
            turns_path=Path(snakemake.input.turns),
            events_path=Path(snakemake.input.events),
            traces_path=Path(snakemake.input.traces),
            direction_parts=[Path(path) for path in snakemake.input.directions],
            probing_path=Path(snakemake.output.probing),
            tasks_path=Path(snakemake.output.tasks),
            directions_path=Path(snakemake.output.directions),
            folds=snakemake.params.folds,
            resampling=Resampling(**snakemake.params.resampling),
        )
