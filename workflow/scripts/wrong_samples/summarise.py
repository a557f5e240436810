"""Mended and spoiled thoughts by action, cost, and what an action would change overall.

Inputs
    continuations: `WRONG_SAMPLES`.
    thoughts: `THOUGHTS`.

Outputs
    summary: `SUMMARY`.
    net: `NET`.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.exit_rules.costs import share
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings, cluster_means
from wrong_samples.comparisons import compared, corrected, joined, token_rate
from wrong_samples.names import ACTIONS, GROUPS, LAST, RESAMPLE, RIGHT, TESTED
from wrong_samples.net_change import Weights, net_change, net_difference
from wrong_samples.tables import NET, SUMMARY, THOUGHTS, WRONG_SAMPLES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_wrong_samples")


def summarise(table: pl.DataFrame, s: IntervalSettings) -> pl.DataFrame:
    """`SUMMARY`: one row per start, place and action; `table` is `WRONG_SAMPLES`."""
    rows = []
    for start, place in GROUPS:
        group = table.filter(start=start, place=place)
        own = [
            group_row(group, action, s)
            for action in ACTIONS
            if not group.filter(action=action).is_empty()
        ]
        for name in TESTED:
            corrected(own, name)
        rows += own
    return SUMMARY.frame(rows)


def group_row(group: pl.DataFrame, action: str, s: IntervalSettings) -> dict[str, Any]:
    """A row of the summary; `group` are all continuations of one start and place."""
    part = group.filter(action=action)
    problems, right = part["problem"].to_numpy(), part["correct"].to_numpy()
    whole = part["start"].to_numpy() == RIGHT
    counts = np.stack([part["tokens"], part["backtracks"]], axis=1).astype(float)
    tokens, turns = cluster_means(counts, problems, s)
    means = {
        "changed": share(right != whole, problems, s),
        "accuracy": share(right, problems, s),
        "tokens": tokens,
        "turns": turns,
    }
    row: dict[str, Any] = dict.fromkeys(SUMMARY.schema)
    row |= part.select("start", "place", "action").row(0, named=True)
    row |= {
        "thoughts": part["trace"].n_unique(),
        "problems": part["problem"].n_unique(),
        "draws": part.height,
        "unclosed": int((~part["closed"]).sum()),
        "limited": int(part["limited"].sum()),
        "looped": int(part["looped"].sum()),
    }
    for name, mean in means.items():
        row |= mean.columns(name)
    row |= token_rate(part, group.filter(action=RESAMPLE), s)
    for name, (other, tested) in TESTED.items():
        if action in tested or (other == RESAMPLE and action != RESAMPLE):
            row |= compared(part, group.filter(action=other), name, s)
        if action not in tested:
            row[f"{name}_p"] = None
    return row


def net_changes(
    table: pl.DataFrame, thoughts: pl.DataFrame, s: IntervalSettings
) -> pl.DataFrame:
    """`NET`: one row per action at the last arrival.

    Args:
        table: `WRONG_SAMPLES`.
        thoughts: `THOUGHTS`.
        s: coverage, and fewest problems with an interval.
    """
    weights = Weights.of(thoughts)
    last = table.filter(place=LAST)
    plain = last.filter(action=RESAMPLE)
    rows = []
    for action in ACTIONS:
        part = last.filter(action=action)
        net = net_change(part, weights, s)
        if net is None:
            continue
        row: dict[str, Any] = dict.fromkeys(NET.schema) | net.columns("net")
        starts = part.unique("trace")["start"]
        row |= {
            "action": action,
            "wrong": int((starts != RIGHT).sum()),
            "right": int((starts == RIGHT).sum()),
            "problems": part["problem"].n_unique(),
            "wrong_share": weights.wrong,
            "right_share": weights.right,
        }
        if action != RESAMPLE:
            over = net_difference(joined(part, plain), weights, s)
            row |= {} if over is None else over.columns("over_resample")
        rows.append(row)
    return NET.frame(rows)


def main(
    *,
    continuations_path: Path,
    thoughts_path: Path,
    summary_path: Path,
    net_path: Path,
    intervals: IntervalSettings,
) -> None:
    """Read the continuations, summarise, write."""
    table, thoughts = (
        WRONG_SAMPLES.read(continuations_path),
        THOUGHTS.read(thoughts_path),
    )
    summary = summarise(table, intervals)
    logger.info("%d continuations, %d rows", table.height, summary.height)
    SUMMARY.write(summary, summary_path)
    NET.write(net_changes(table, thoughts, intervals), net_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            continuations_path=Path(snakemake.input.continuations),
            thoughts_path=Path(snakemake.input.thoughts),
            summary_path=Path(snakemake.output.summary),
            net_path=Path(snakemake.output.net),
            intervals=IntervalSettings(**snakemake.params.intervals),
        )
