"""Declares the tables, figures and files of this experiment."""

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
    holds="answers forced before the thought and after each of its arrivals",
    shards=(EARLY_EXIT, RUNS, VERIFICATION),
    tables=(EARLY_EXIT_SUMMARY, EARLY_EXIT_CALIBRATION),
    references=("resources/reference/early_exit_published.json",),
    figures=(
        Figure(
            "confidence",
            "Confidence at each exit",
            "The thought is cut after the sentence of arrival k (exit 0: before any "
            "thought) and closed. Then the model answers greedily. Each line is the "
            "mean raw logit of the answer’s tokens, for the traces with one number "
            "of backtracks. Left: as measured. Right: the exits of each trace scaled "
            "to 0 to 1, so that traces with different levels can be compared. The "
            "lower row leaves out exit 0. If a line rises steeply to the first "
            "arrival and then stays flat, the answer is settled at the first "
            "arrival. If it keeps rising, further thinking makes the model surer of "
            "an answer that it already gives. Bands are intervals over "
            "problems. Dashed lines are published means; they are drawn if model and "
            "dataset are the same. A trace with n backtracks may have fewer than n "
            "arrivals, so late exits rest on fewer traces. Points of fewer than "
            "three problems are hidden. The numbers are in "
            "early_exit/summary.parquet.",
        ),
        Figure(
            "accuracy",
            "Accuracy at each exit",
            "Share of right answers when the thought is cut at each exit, one line "
            "for each number of backtracks of the trace. The horizontal line is the "
            "accuracy of the same traces’ final answers. Where a line reaches it, "
            "further thinking does not change the score. The distance at exit 1 is "
            "the price of stopping at the first arrival. Points of one exit are "
            "drawn side by side, so that all can be seen. Bars are intervals over "
            "problems. Points of too few problems for an interval are hidden. The "
            "numbers are in early_exit/summary.parquet.",
        ),
        Figure(
            "calibration",
            "Calibration of the exit’s confidence",
            "All exits of all traces, in bins of equal counts, from the lowest to "
            "the highest confidence. The diamond is the mean probability that the "
            "model gives to its whole answer. The dot is the share of right answers, "
            "with its interval over problems. If the dot lies "
            "below its diamond, the model is surer than it is right. The mean "
            "distance of dot and diamond is the expected calibration error (ECE). "
            "Brier: mean squared difference of confidence and correctness. Exits of "
            "one trace are alike, so the bins are not independent. The lower panel "
            "is the histogram of the confidence. The numbers are in "
            "early_exit/calibration.parquet.",
        ),
    ),
)
