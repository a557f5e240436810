"""Declares the tables, figures and files of this experiment."""

from directions.tables import (
    DIRECTION_COSINES,
    DIRECTION_HELD_OUT,
    DIRECTION_PAIRS,
    DIRECTION_PROBLEMS,
    DIRECTION_UNITS,
    DIRECTIONS,
)
from doubletake.study.comparisons import DEPTH, Comparison, Panel
from doubletake.study.declaration import Artifact, Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="directions",
    order=66,
    title="Directions",
    question="Which vectors of the residual stream point toward turning back?",
    holds="directions of several published recipes, fitted on one part of the problems",
    tables=(
        DIRECTIONS,
        DIRECTION_PROBLEMS,
        DIRECTION_PAIRS,
        DIRECTION_HELD_OUT,
        DIRECTION_COSINES,
        DIRECTION_UNITS,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "separation",
            "Length of the directions by layer",
            "Each direction is a difference of two means of the residual stream, over "
            "thoughts on one part of the problems (of the probe, the distance of the "
            "means along it). Solid: its length, divided by the mean norm of the "
            "residual stream. Dashed: the same recipe with labels that are permuted "
            "among the sentences of each problem, mean over the draws; the band ends "
            "at the highest draw. Where both lines meet, the direction tells where in "
            "a thought its sentences lie, and nothing about turning back. The numbers "
            "are in directions.parquet.",
        ),
        Figure(
            "test_pairs",
            "Directions in the other problems, and how alike they are",
            "Left: share of the matched pairs on other problems in which the turn lies "
            "further along the direction than its control, at the token before the "
            "sentence; 50% is chance. Each direction is judged at one boundary (b.), "
            "which is chosen on the problems that it was fitted on. Bars are intervals "
            "over problems. Hollow: with shuffled labels, mean over the draws. Right: "
            "cosines between the directions at the boundary chosen for the probe. "
            "The numbers are in directions/held_out.parquet and "
            "directions/cosines.parquet.",
        ),
    ),
    artifacts=(
        Artifact(
            "directions/vectors.safetensors",
            "unit vectors of all directions, the same with shuffled labels, principal "
            "components and norms of the residual stream",
        ),
    ),
    comparison=Comparison(
        "Share of matched pairs on other problems in which the turn lies further "
        "along a direction than its control, by depth. Dashes: the same with shuffled "
        "labels. Dotted: chance.",
        tuple(
            Panel(
                title=direction,
                table="directions/held_out",
                across="boundary",
                value="ordered",
                where={"direction": direction},
                ends=("low", "high"),
                beside=("shuffled",),
                nothing=0.5,
                percent=True,
                of_last=True,
                axis=DEPTH,
            )
            for direction in ("ward", "venhoff", "seal", "probe")
        ),
    ),
)
