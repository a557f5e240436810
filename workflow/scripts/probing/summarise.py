"""How well does each probe tell its classes apart, beside its controls?

Inputs
    scores: out-of-fold scores of all probes (table `probing/scores`).
    matches, index: tables that say how many cases each contrast has.
    directions: of the shards.

Outputs
    probing: one row per contrast and layer boundary.
    contrasts: one row per contrast, with the reason where it has no probe.
    directions: of all boundaries, as in `probing.reading`.
"""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from activations.tables import ACTIVATION_INDEX
from doubletake.running.logs import job
from doubletake.stats.auroc import auroc
from doubletake.stats.contrasts import CONTRASTS, ClassCounts
from doubletake.stats.intervals import IntervalSettings, jackknife_interval, number
from doubletake.stats.jackknife import without_each_cluster
from matches.reading import cases_of
from matches.tables import MATCHES
from probing.classification_metrics import accuracy, simultaneous_low
from probing.reading import merge_directions
from probing.tables import PROBING, PROBING_CONTRASTS, PROBING_SCORES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_probing")

METRICS = ("auroc", "accuracy")
CONTROLS = ("shuffled", "token", "depth")


def metrics_of(part: pl.DataFrame) -> dict[str, np.ndarray]:
    """AUROC and accuracy of one probe: of all cases and without each problem.

    Args:
        part: rows of one shuffle of the table `probing/scores`, by trace and event.

    Returns:
        [1 + problem] each.
    """
    names = ("score", "label", "fold", "problem")
    scores, labels, folds, problems = (part[name].to_numpy() for name in names)
    return {
        "auroc": without_each_cluster(
            lambda weights: auroc(scores, labels, folds, weights), problems
        ),
        "accuracy": without_each_cluster(
            lambda weights: accuracy(scores, labels, weights), problems
        ),
    }


def mean_metrics(part: pl.DataFrame) -> dict[str, np.ndarray]:
    """Means of AUROC and accuracy over the shuffles of a probe."""
    shuffles = [metrics_of(rows) for rows in part.partition_by("shuffle")]
    return {
        name: np.mean([values[name] for values in shuffles], axis=0) for name in METRICS
    }


def fold_range(part: pl.DataFrame) -> dict[str, float]:
    """AUROC of the worst fold and of the best fold."""
    ones = np.ones((1, part.height))
    labels, scores = part["label"].to_numpy(), part["score"].to_numpy()
    folds = part["fold"].to_numpy()
    values = [
        float(auroc(scores[at], labels[at], folds[at], ones[:, at])[0])
        for at in (folds == fold for fold in np.unique(folds))
    ]
    return {"auroc_fold_lowest": min(values), "auroc_fold_highest": max(values)}


def summarise_contrast(
    scores: pl.DataFrame, intervals: IntervalSettings, contrasts: int, seed: int
) -> list[dict]:
    """Rows of the table `probing` of one contrast.

    Args:
        scores: the contrast's rows of the table `probing/scores`.
        intervals: which intervals to give.
        contrasts: number of contrasts with probes.
        seed: of the draws behind the low end that holds for all boundaries.
    """
    scores = scores.sort("features", "boundary", "shuffle", "trace", "event")
    true = scores.filter(shuffle=0)
    depth = true.filter(features="depth")
    problems = depth["problem"].to_numpy()
    resid = true.filter(features="resid")
    # ASSUME: at boundary 0 the residual stream holds the token's embedding alone.
    fixed_controls = {
        "token": metrics_of(resid.filter(boundary=0)),
        "depth": metrics_of(depth),
    }
    rows, selectivities = [], []
    for (boundary,), part in resid.group_by("boundary", maintain_order=True):
        shuffled = scores.filter(
            pl.col("shuffle") > 0, features="resid", boundary=boundary
        )
        probe = metrics_of(part)
        controls = fixed_controls | {"shuffled": mean_metrics(shuffled)}
        strengths = part.select("fold", "strength").unique()["strength"].sort()
        row: dict[str, Any] = {
            "contrast": part["contrast"][0],
            "boundary": boundary,
            "cases": part.height,
            "positives": int(part["label"].sum()),
            "problems": part["problem"].n_unique(),
            "strength": strengths[(len(strengths) - 1) // 2],
            **fold_range(part),
        }
        for metric in METRICS:
            row |= _metric_columns(metric, probe, controls, problems, intervals)
        rows.append(row)
        selectivities.append(probe["auroc"] - best_control("auroc", controls))
    lows = simultaneous_low(
        np.stack(selectivities), problems, intervals, contrasts, seed
    )
    for row, low in zip(rows, lows, strict=True):
        row["selectivity_low_of_all"] = number(low)
    return [{name: row[name] for name in PROBING.schema} for row in rows]


def best_control(metric: str, controls: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
    """The highest metric of the three controls: [1 + problem]."""
    # ASSUME: the best control, also without a problem, is what the probe must exceed.
    return np.max([controls[name][metric] for name in CONTROLS], axis=0)


def _metric_columns(
    metric: str,
    probe: dict[str, np.ndarray],
    controls: dict[str, dict[str, np.ndarray]],
    problems: np.ndarray,
    intervals: IntervalSettings,
) -> dict[str, float | None]:
    """A metric of the probe, of its controls, and its selectivity, with intervals."""
    best = best_control(metric, controls)
    selectivity = "selectivity" if metric == "auroc" else f"selectivity_{metric}"
    shares = {metric: probe[metric]}
    shares |= {f"{name}_{metric}": controls[name][metric] for name in CONTROLS}
    row: dict[str, float | None] = {}
    for name, values in (shares | {selectivity: probe[metric] - best}).items():
        ends = jackknife_interval(values, problems, intervals, is_share=name in shares)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row


def contrast_rows(
    matches: pl.DataFrame, index: pl.DataFrame, folds: int, least_problems: int
) -> pl.DataFrame:
    """The table `probing/contrasts`: how many cases each contrast has."""
    rows = []
    for contrast in CONTRASTS:
        counts = ClassCounts.of(cases_of(contrast, matches, index))
        reason = counts.why_too_few(contrast, folds, least_problems)
        rows.append({"contrast": contrast.name, **asdict(counts), "left_out": reason})
    return PROBING_CONTRASTS.frame(rows)


def summarise(
    scores: pl.DataFrame, intervals: IntervalSettings, seed: int
) -> pl.DataFrame:
    """The table `probing`: all contrasts and boundaries."""
    parts = scores.partition_by("contrast", maintain_order=True)
    return PROBING.frame(
        [
            row
            for part in parts
            for row in summarise_contrast(part, intervals, len(parts), seed)
        ]
    )


def main(
    *,
    scores_path: Path,
    matches_path: Path,
    index_path: Path,
    direction_parts: list[Path],
    probing_path: Path,
    contrasts_path: Path,
    directions_path: Path,
    folds: int,
    seed: int,
    intervals: IntervalSettings,
) -> None:
    """Read the scores, judge every probe, write the tables and the directions."""
    matches = MATCHES.read(matches_path)
    index = ACTIVATION_INDEX.read(index_path)
    contrasts = contrast_rows(matches, index, folds, intervals.least_problems)
    probing = summarise(PROBING_SCORES.read(scores_path), intervals, seed)
    logger.info(
        "%d probes of %d contrasts", probing.height, probing["contrast"].n_unique()
    )
    PROBING_CONTRASTS.write(contrasts, contrasts_path)
    merge_directions(direction_parts, directions_path)
    PROBING.write(probing, probing_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            scores_path=Path(snakemake.input.scores),
            matches_path=Path(snakemake.input.matches),
            index_path=Path(snakemake.input.index),
            direction_parts=[Path(path) for path in snakemake.input.directions],
            probing_path=Path(snakemake.output.probing),
            contrasts_path=Path(snakemake.output.contrasts),
            directions_path=Path(snakemake.output.directions),
            folds=snakemake.params.folds,
            seed=snakemake.params.seed,
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
