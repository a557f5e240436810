"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from exact_attribution.tables import (
    EXACT_CAUSES,
    EXACT_CELLS,
    EXACT_EVENTS,
    EXACT_RECALL,
    EXACT_SIZES,
    EXACT_STEPS,
    EXACT_WORDS,
)

DECLARATION = Experiment(
    name="exact_attribution",
    order=51,
    title="Exact attribution",
    question="What does exact patching say of the words that the estimate puts first?",
    holds="words that are replaced exactly, beside their estimates",
    shards=(EXACT_EVENTS, EXACT_WORDS, EXACT_CELLS, RUNS, VERIFICATION),
    tables=(EXACT_STEPS, EXACT_RECALL, EXACT_SIZES, EXACT_CAUSES),
    figures=(
        Figure(
            "steps",
            "Exact changes against the estimate",
            "The states of a word move toward their mean, by a small step or the whole "
            "way, and the model runs again. Left: the exact change of one word, "
            "divided by its step, against the estimate by the gradient, which is the "
            "same at all steps. On the line both are equal; both axes are linear near "
            "0 only. "
            "Middle: the correlation of both over the words of a backtrack, by step; "
            "the square is the average of gradients along the word\u2019s own path, "
            "against the whole way. Right: the correlation at the whole way, by the "
            "layer before which the word is replaced. Bars are intervals over "
            "problems. "
            "If the correlation falls with the step, the effects are not linear, and "
            "only exact values can rank words. The numbers are in "
            "exact_attribution/steps.parquet and exact_attribution/cells.parquet.",
        ),
        Figure(
            "recall",
            "Which of the strongest words the estimates find",
            "The words of each backtrack are ranked by exact patching. Dots: the share "
            "of its first k words that are also among the first k of an estimate, at "
            "the measured words. `Same layers` is the estimate at the replaced layers; "
            "`published` is the largest score over all layers. Triangles: the share of "
            "the k strongest words of the whole context that were chosen for exact "
            "patching by the published ranking. Empty marks: the same for words in "
            "random order. Bars are intervals over problems. The numbers are in "
            "exact_attribution/recall.parquet.",
        ),
        Figure(
            "causes",
            "Is the planted cause among the first three words?",
            "The pocket model\u2019s language plants the causes of turns. Dots: the "
            "share of backtracks with a word of the planted cause among the first "
            "three measured words, by exact value and by both estimates. Empty marks: "
            "the share for words in random order. Bars are intervals over problems. "
            "The numbers are in exact_attribution/causes.parquet.",
        ),
    ),
    comparison=Comparison(
        "Left: correlation of the gradient estimate with the exact change of one "
        "word, by the size of the step toward the mean state. Dotted: no relation. "
        "Middle: share of the k words that matter most by exact patching that the "
        "estimate also has among its first k. Dashes: chance. Right: planted "
        "languages only, share of backtracks whose planted cause is among the first "
        "three words, by ranking. Short vertical lines: chance.",
        (
            Panel(
                title="Correlation with the exact change",
                table="exact_attribution/steps",
                across="step",
                value="pearson",
                where={"method": "gradient", "layer": None},
                axis="step, as a share of the way to the mean",
                nothing=0.0,
            ),
            Panel(
                title="Recall of the estimate",
                table="exact_attribution/recall",
                across="k",
                value="recall",
                where={"ranking": "estimate"},
                beside=("chance",),
                axis="k",
                percent=True,
            ),
            Panel(
                title="Planted cause among the first three",
                only="planted languages only",
                table="exact_attribution/causes",
                across="ranking",
                value="share",
                where={"cause": "all", "k": 3},
                ends=("low", "high"),
                beside=("chance",),
                percent=True,
            ),
        ),
    ),
)
