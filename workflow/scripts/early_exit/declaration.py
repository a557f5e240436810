"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from early_exit.tables import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SLOPES,
    EARLY_EXIT_SUMMARY,
)

DECLARATION = Experiment(
    name="early_exit",
    order=10,
    title="Early exit",
    question="How sure is the model each time it arrives, and could it stop there?",
    holds="answers forced before the thought and after each of its arrivals",
    shards=(EARLY_EXIT, RUNS, VERIFICATION),
    tables=(EARLY_EXIT_SUMMARY, EARLY_EXIT_SLOPES, EARLY_EXIT_CALIBRATION),
    references=("resources/reference/early_exit_published.json",),
    figures=(
        Figure(
            "confidence",
            "Confidence at each exit",
            "The thought is cut after the sentence of arrival k (exit 0: before any "
            "thought) and closed. Then the model answers greedily. Each line is the "
            "mean raw logit of the answer’s tokens, for the traces with one number of "
            "arrivals; a trace with n arrivals has the exits 0 to n, so all points of "
            "a line are means over the same traces. Left: as measured; the lower panel "
            "leaves out exit 0. Upper right: the exits of each trace scaled to 0 to 1, "
            "as in the published figure. Exit 0 is mostly the 0 of this scale, so the "
            "rise to the first arrival is built into it; traces with two exits are "
            "left out, because scaling makes them 0 and 1. Lower right: the logit "
            "minus that at exit 1 of the same trace. A line that stays at 0 here means "
            "that the answer is settled at the first arrival. Whether the logit rises "
            "over all groups is tested in the text. Bands are intervals over "
            "problems. Dashed lines are published means; they are drawn if model and "
            "dataset are the same. Points of too few problems for an interval are "
            "hidden. The numbers are in early_exit/summary.parquet.",
        ),
        Figure(
            "accuracy",
            "Accuracy at each exit",
            "Share of right answers when the thought is cut at each exit, one line "
            "for each number of arrivals of the trace. The horizontal line is the "
            "accuracy of the same traces’ final answers. Where a line reaches it, "
            "further thinking does not change the score. The distance at exit 1 is "
            "the price of stopping at the first arrival, chosen in hindsight: arrivals "
            "are found in the finished thought. Points of one exit are drawn side by "
            "side, so that all can be seen. Bars are intervals over problems. Points "
            "of too few problems for an interval are hidden. The numbers are in "
            "early_exit/summary.parquet.",
        ),
        Figure(
            "calibration",
            "Calibration of the exit’s confidence",
            "All exits of all traces, exit 0 on the left, later exits on the right, "
            "each in bins of equal counts, from the lowest to the highest confidence. "
            "The diamond is the mean probability that the model gives to its whole "
            "answer, with the end of the answer: any token that closes the box or ends "
            "the completion. Answers that do not end within the limit of tokens are "
            "left out. The dot is the share of right answers, with its "
            "interval over problems. If the dot lies below its diamond, "
            "the model is surer than it is right. The mean distance of dot and diamond "
            "is the expected calibration error (ECE). It is above 0 by chance alone if "
            "a bin holds few exits. Brier: mean squared difference of confidence and "
            "correctness. Exits of one trace are alike, so the bins on the right are "
            "not independent. The lower panels are histograms of the confidence. The "
            "numbers are in early_exit/calibration.parquet.",
        ),
    ),
    comparison=Comparison(
        "Left: bins of the exits after an arrival, from the lowest to the highest "
        "confidence. Dashes: the accuracy that equals the confidence. Right: how the "
        "log-prob of the answer changes from exit to exit, from the first arrival to "
        "the second, and at later steps. Dotted: no change.",
        (
            Panel(
                title="Right answers against confidence",
                table="early_exit/calibration",
                across="confidence",
                value="accuracy",
                where={"part": "arrivals"},
                beside=("confidence",),
                percent=True,
                axis="probability of the answer",
            ),
            Panel(
                title="Change of the answer’s log-prob, nats",
                table="early_exit/slopes",
                across="part",
                value="slope",
                where={"measure": "whole_logprob", "which": "all"},
                nothing=0.0,
            ),
        ),
    ),
)
