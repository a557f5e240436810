"""Figures: accuracy against tokens, the leaderboard, and stops in example thoughts.

Inputs
    policies: one row per policy (`POLICIES`).
    curves: rules at the thresholds of their grids (`CURVES`).
    stops: one row per policy and trace (`STOPS`).
    points: the trial points (`TRIAL_POINTS`).

Outputs
    frontier, leaderboard, examples: the figures.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.page.plots import save_figure
from doubletake.running.logs import job
from exit_policies.examples import examples_of
from exit_policies.examples_figure import draw_examples
from exit_policies.frontier_figure import draw_frontier, frontier_note
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


def main(
    *,
    policies_path: Path,
    curves_path: Path,
    stops_path: Path,
    points_path: Path,
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
    save_figure(draw_frontier(policies, curves, confidence), frontier_path)
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
            frontier_path=Path(snakemake.output.frontier),
            leaderboard_path=Path(snakemake.output.leaderboard),
            examples_path=Path(snakemake.output.examples),
            settings=Settings(**snakemake.params.settings),
        )
