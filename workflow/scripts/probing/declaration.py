"""What this experiment leaves, and what the page calls it."""

from doubletake.study.declaration import Artifact, Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from probing.tables import (
    PROBING,
    PROBING_SCORES,
    PROBING_TASKS,
)

DECLARATION = Experiment(
    name="probing",
    order=30,
    title="Probes",
    question="Does the residual stream tell, before the word is there, that the model "
    "is about to turn back, or that its answer is right?",
    holds="what linear probes read from the residual stream",
    shards=(PROBING_SCORES, RUNS, VERIFICATION),
    tables=(PROBING, PROBING_TASKS),
    artifacts=(
        Artifact(
            "probing/directions.safetensors",
            "directions of the probes at every layer boundary",
        ),
    ),
    figures=(
        Figure(
            "auroc",
            "AUROC of linear probes by layer",
            "The chance that a position of the first class scores above one of the "
            "second, by a logistic regression that has not seen their problems; one "
            "panel per contrast. Boundary 0 is the token’s embedding. Only positions "
            "scored by the same probe are compared. Grey: the same probe on shuffled "
            "labels, which must lie at 0.5. Level lines: probes on what needs no "
            "thinking, the token just read or the place in the thought. A red line "
            "above all of them is what the layers have worked out. Where a level "
            "line is as high, the classes differ in place or last token, and the "
            "probe need not know more. Bands are bootstrap intervals over problems. "
            "The numbers are in probing.parquet.",
        ),
        Figure(
            "accuracy",
            "Accuracy of linear probes by layer",
            "Share of positions that the probe classifies rightly at its own "
            "threshold: the mean of both classes’ shares, so that chance is 0.5 "
            "however unequal the classes are. Lines and bands are those of the "
            "figure of AUROC. The numbers are in probing.parquet.",
        ),
    ),
)
