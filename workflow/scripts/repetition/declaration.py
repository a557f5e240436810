"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from repetition.tables import (
    REPETITION,
    REPETITION_POINTS,
    REPETITION_PULL,
    REPETITION_STEPS,
    REPETITION_TESTS,
)

DECLARATION = Experiment(
    name="repetition",
    order=18,
    title="Repetition",
    question="Is the confidence at an exit more than copying?",
    holds="fixed answers scored at exits of thoughts and of repeated sentences",
    tables=(
        REPETITION,
        REPETITION_POINTS,
        REPETITION_STEPS,
        REPETITION_PULL,
        REPETITION_TESTS,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "fixed_answer",
            "One fixed answer: thinking on beside stating it again",
            "Each line is the probability of one answer, which is the same at every "
            "k. Left: thoughts whose first arrival is right; the answer that is "
            "forced at exit 1, right after this arrival. Right: thoughts whose first "
            "arrival is wrong; the number that this arrival states, because the "
            "answer forced there may be another one, or the right one. Thought: the "
            "real thought, cut after arrival k. Repeated: the thought, cut after its "
            "first arrival, with the sentence of this arrival repeated k \u2212 1 "
            "times. Filler: neutral sentences in place of the repeated ones, about as "
            "many tokens as in the real thought. All three share exit 1. On the "
            "right, a rise is no knowledge. Upper panels: log-prob of the whole "
            "answer, which cannot rise above 0. Lower panels: its log-odds, which "
            "have no ceiling. Compare the lines at the same k: points of one k are "
            "means over the same thoughts, but fewer thoughts reach a higher k. Bands "
            "are intervals over problems. Points of too few problems for an interval "
            "are hidden. The numbers are in repetition/points.parquet.",
        ),
        Figure(
            "wrong_number",
            "A wrong number, repeated",
            "The sentence of the first arrival is repeated with a drawn wrong number, "
            "which stands nowhere else in question and thought. Upper panels: log-prob "
            "of this number as the answer. Lower panels: share of forced answers that "
            "are this number. Repeats wrong: the first statement stays as the thought "
            "wrote it. All wrong: it states the wrong number, too. Repeated: the "
            "thought\u2019s own sentence is repeated, so the number is never stated. "
            "Left and right: thoughts whose first arrival is right or wrong. A model "
            "that only copies gives the number that was stated most often; a model "
            "that knows its answer does not. Bands are intervals over problems. Points "
            "of too few problems for an interval are hidden. The numbers are in "
            "repetition/points.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thoughts whose first arrival is right; the answer of this arrival is scored. "
        "Change of its log-odds from the first exit to the second, and at later "
        "steps: if the thought goes on, if its sentence is stated again instead, and "
        "the difference of the two. Dotted: no change.",
        tuple(
            Panel(
                title=title,
                table="repetition/steps",
                across="part",
                value=value,
                where={
                    "outcome": "right",
                    "answer": "fixed",
                    "measure": "log_odds",
                    "which": "all",
                },
                nothing=0.0,
            )
            for value, title in (
                ("thought", "Thinking on, nats"),
                ("repeated", "Stating it again, nats"),
                ("more", "Difference, nats"),
            )
        ),
    ),
)
