"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import DEPTH, Comparison, Panel
from doubletake.study.declaration import Artifact, Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from probing.tables import (
    PROBING,
    PROBING_CONTRASTS,
    PROBING_SCORES,
)

DECLARATION = Experiment(
    name="probing",
    order=30,
    title="Probes",
    question="Does the residual stream tell, before the word is there, that the model "
    "is about to turn back, or that its answer is right?",
    holds="what linear probes read from the residual stream",
    shards=(PROBING_SCORES, RUNS, VERIFICATION),
    tables=(PROBING, PROBING_CONTRASTS),
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
            "The chance that a position of the first class has a higher score than one "
            "of the second. The scores come from a logistic regression that has not "
            "seen the problems of these positions, or their matched partners. One "
            "panel per contrast. Boundary 0 is the token’s embedding. Only positions "
            "scored by the same probe are compared. Grey: the same probe on shuffled "
            "labels (each matched pair keeps or swaps them at random), which should "
            "lie near 0.5. Level lines: probes on what needs no thinking, namely the "
            "token just read or the depth in the thought. The classes are matched "
            "pairs, so the level lines should lie near 0.5. Where one is as high as "
            "the red line, the probe need not know more than place or token. Bands are "
            "intervals over problems of single boundaries; the verdicts above account "
            "for all boundaries and contrasts. The numbers are in probing.parquet.",
        ),
        Figure(
            "accuracy",
            "Accuracy of linear probes by layer",
            "Share of positions that the probe classifies correctly at its own "
            "threshold. It is the mean of both classes’ shares, so that chance is 0.5 "
            "even when the classes are of unequal size. Lines and bands mean the same "
            "as in the figure of AUROC. The numbers are in probing.parquet.",
        ),
    ),
    comparison=Comparison(
        "AUROC of linear probes on other problems, by depth. Dashes: the best of "
        "three controls (shuffled labels, the token alone, the place alone). Dotted: "
        "chance.",
        tuple(
            Panel(
                title=title,
                table="probing",
                across="boundary",
                value="auroc",
                where={"contrast": contrast},
                beside=("shuffled_auroc", "token_auroc", "depth_auroc"),
                nothing=0.5,
                of_last=True,
                axis=DEPTH,
            )
            for contrast, title in (
                ("backtrack_control", "Backtrack against matched control"),
                ("backtrack_wrap_up", "Backtrack against wrap-up"),
                ("right_arrival", "Right against wrong arrival"),
                ("wrap_up_control", "Wrap-up against control"),
            )
        ),
    ),
)
