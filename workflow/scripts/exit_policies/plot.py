"""Figures: accuracy against tokens, the leaderboard, and stops in example thoughts.

Inputs
    policies: one row per policy (`POLICIES`).
    curves: rules at the thresholds of their grids (`CURVES`).
    stops: one row per policy and trace (`STOPS`).
    points: the trial points (`TRIAL_POINTS`).
    actions: means by decoding action (`decoding_actions.tables.SUMMARY`).

Outputs
    frontier, leaderboard, examples: the figures.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from decoding_actions.tables import SUMMARY
from doubletake.page.plots import save_figure
from doubletake.running.logs import job
from exit_policies.examples import examples_of
from exit_policies.examples_figure import draw_examples
from exit_policies.frontier_figure import (
    FrontierPoint,
    draw_frontier,
    frontier_note,
)
from exit_policies.leaderboard_figure import draw_leaderboard
from exit_policies.tables import CURVES, POLICIES, STOPS
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("plot_exit_policies")


@dataclass(frozen=True)
class Settings:
    """The parts of the config that the figures need."""

    seed: int
    """Of the draw of example thoughts."""
    tolerance: float
    """Largest loss of accuracy that counts as harmless, as a share."""
    confidence: float
    """Coverage of the intervals."""


def action_points(summary: pl.DataFrame, policies: pl.DataFrame) -> list[FrontierPoint]:
    """The decoding actions, as marks beside the policies.

    They decode some of the study's thoughts only. So their paired change of accuracy is
    drawn, from the accuracy of all whole thoughts on.

    Args:
        summary: of the actions.
        policies: `POLICIES`.
    """
    ends = policies["end_accuracy"].drop_nulls()
    points = []
    for row in summary.iter_rows(named=True) if len(ends) else ():
        changes = [row[f"change{end}"] for end in ("", "_low", "_high")]
        mean, low, high = (None if c is None else ends[0] + c for c in changes)
        if mean is not None:
            tokens = tuple(row[f"total_rate{end}"] for end in ("", "_low", "_high"))
            points.append(FrontierPoint(row["action"], tokens, (mean, low, high)))
    return points


def main(
    *,
    policies_path: Path,
    curves_path: Path,
    stops_path: Path,
    points_path: Path,
    actions_path: Path,
    frontier_path: Path,
    leaderboard_path: Path,
    examples_path: Path,
    settings: Settings,
) -> None:
    """Read the tables, draw, save."""
    policies, curves = POLICIES.read(policies_path), CURVES.read(curves_path)
    stops, points = STOPS.read(stops_path), TRIAL_POINTS.read(points_path)
    confidence = settings.confidence
    logger.info("%s", frontier_note(policies, confidence))
    extra = action_points(SUMMARY.read(actions_path), policies)
    save_figure(draw_frontier(policies, curves, confidence, extra), frontier_path)
    leaderboard = draw_leaderboard(policies, settings.tolerance, confidence)
    save_figure(leaderboard, leaderboard_path)
    examples = examples_of(points, stops, policies, settings.seed)
    save_figure(draw_examples(examples), examples_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            policies_path=Path(snakemake.input.policies),
            curves_path=Path(snakemake.input.curves),
            stops_path=Path(snakemake.input.stops),
            points_path=Path(snakemake.input.points),
            actions_path=Path(snakemake.input.actions),
            frontier_path=Path(snakemake.output.frontier),
            leaderboard_path=Path(snakemake.output.leaderboard),
            examples_path=Path(snakemake.output.examples),
            settings=Settings(**snakemake.params.settings),
        )
