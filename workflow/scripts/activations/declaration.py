"""Declares the tables, figures and files of this stage."""

from activations.tables import ACTIVATION_INDEX
from doubletake.study.declaration import Artifact, Stage
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Stage(
    name="activations",
    order=6,
    title="Activations",
    holds="residual stream, attention and MLP outputs at events and matched controls",
    shards=(ACTIVATION_INDEX, RUNS, VERIFICATION),
    tables=(),
    artifacts=(
        Artifact(
            "activations/{shard}.safetensors",
            "tensors of a shard, one row per cached event",
        ),
    ),
)
