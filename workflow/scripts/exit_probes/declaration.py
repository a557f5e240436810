"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Artifact, Stage
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES

DECLARATION = Stage(
    name="exit_probes",
    order=11,
    title="Exit probes",
    holds="probes of right trial answers, for the exit rules that read one",
    tables=(EXIT_PROBE_SCORES, EXIT_PROBE_QUALITY),
    artifacts=(
        Artifact(
            "exit_probes/probes.safetensors",
            "weights of the probes, by exit rule and training group",
        ),
    ),
)
