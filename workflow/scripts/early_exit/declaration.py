"""What this experiment leaves, and what the page calls it."""

from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)

DECLARATION = Experiment(
    name="early_exit",
    order=10,
    title="Early exit",
    question="How sure is the model each time it arrives, and could it stop there?",
    holds="answers forced at every place where the thought holds one",
    shards=(EARLY_EXIT, RUNS, VERIFICATION),
    tables=(EARLY_EXIT_SUMMARY, EARLY_EXIT_CALIBRATION),
    references=("resources/reference/early_exit_published.json",),
    drawn=(
        Figure(
            "confidence",
            "Confidence at each exit",
            "Mean raw logit of the answer that the model gives when its thought is "
            "cut at each exit; on the right with every thought’s exits scaled to 0 "
            "to 1, so that thoughts of different level compare. The lower row leaves "
            "out exit 0. A steep first step and a flat rest mean that the answer "
            "stands at the first arrival; a line that goes on rising means that "
            "thinking on makes the model surer of an answer it already gives.",
        ),
        Figure(
            "accuracy",
            "Accuracy at each exit",
            "Share of right answers when the thought is cut at each exit, beside the "
            "accuracy of the final answers (level line). Where a line meets that "
            "level, thinking on changes no score; the distance at exit 1 is the "
            "price of stopping at the first arrival. Points of one exit stand side "
            "by side for reading only.",
        ),
        Figure(
            "calibration",
            "Calibration of the exit’s confidence",
            "Exits in bins from the least to the most sure: the diamond is the "
            "probability that the model gives to its whole answer, the dot the share "
            "that is right. A dot below its diamond: the model is surer than right; "
            "above it: less sure than it could be. The lower panel shows where the "
            "exits lie.",
        ),
    ),
)
