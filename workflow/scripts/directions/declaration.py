"""Declares the tables, figures and files of this experiment."""

from directions.tables import DIRECTION_PROBLEMS, DIRECTION_UNITS, DIRECTIONS
from doubletake.study.declaration import Artifact, Experiment
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="directions",
    order=66,
    title="Directions",
    question="Which vectors of the residual stream point toward turning back?",
    holds="directions of several published recipes, fitted on one part of the problems",
    tables=(DIRECTIONS, DIRECTION_PROBLEMS, DIRECTION_UNITS, RUNS, VERIFICATION),
    artifacts=(
        Artifact(
            "directions/vectors.safetensors",
            "unit vectors of all directions, with shuffled labels, principal components "
            "and norms of the residual stream (`directions/reading.py` describes it)",
        ),
    ),
)
