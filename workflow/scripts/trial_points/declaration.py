"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Artifact, Stage
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from trial_points.tables import TRIAL_POINTS, TRIAL_STATES

DECLARATION = Stage(
    name="trial_points",
    order=9,
    title="Trial points",
    holds="trial answers at all places of a thought at which an exit rule may look",
    shards=(TRIAL_POINTS, TRIAL_STATES, RUNS, VERIFICATION),
    tables=(),
    artifacts=(
        Artifact(
            "trial_points/{shard}.safetensors",
            "residual stream before the arrivals and cues of a shard",
        ),
    ),
)
