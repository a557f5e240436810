"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from loop.tables import (
    LOOP,
    LOOP_CAUSES,
    LOOP_CORRELATIONS,
    LOOP_EFFECTS,
    LOOP_MEANS,
    LOOP_PLANTED,
)

DECLARATION = Experiment(
    name="loop",
    order=80,
    title="All methods on the same events",
    question="Do the methods agree on the same events?",
    holds="every backtrack with the numbers of all methods, and how they agree",
    shards=(LOOP_EFFECTS, RUNS, VERIFICATION),
    tables=(LOOP, LOOP_CORRELATIONS, LOOP_PLANTED, LOOP_CAUSES, LOOP_MEANS),
    figures=(
        Figure(
            "agreement",
            "Which methods agree",
            "Each cell compares two methods at the backtracks that both have looked "
            "at. The large number is Spearman\u2019s correlation: 1 means that both "
            "put the backtracks in the same order, \u22121 in the opposite order. The "
            "small number is the number of backtracks. Bold with a star: the relation "
            "holds after a correction for all tests of the figure (Holm). Grey without "
            "colour: both methods are of one family. They are made from the same "
            "logits, direction, scores or answers, so they agree by construction and "
            "nothing is claimed. A dot: too few problems, or a number that is the same "
            "everywhere. Right, for a planted language: each method against what was "
            "planted. Under \u201ccause\u201d stands how well the method tells "
            "backtracks with a planted cause from those without (2 AUROC \u2212 1). "
            "Under \u201ctwins\u201d backtracks are ranked within each kind of cause. "
            "The numbers are in loop/correlations.parquet and loop/planted.parquet.",
        ),
        Figure(
            "causes",
            "Is the planted cause among the first words?",
            "Share of the backtracks with a planted cause whose cause is among the "
            "most important words before the turn, by the ranking of the words. Bars "
            "are intervals over problems. Diamond: the share if all words stood in "
            "random order. Cross: the share if a word changed places only with words "
            "of its own class (number or word) and frequency. A dot right of the "
            "diamond says that the ranking knows more than chance. Only a dot right of "
            "the cross says that it knows more than which class of words matters. "
            "Exact patching measures some words at some backtracks only; the last row "
            "is the estimate over the same words. The numbers are in "
            "loop/causes.parquet.",
        ),
    ),
    config_files=("attribution.stop_words",),
    comparison=Comparison(
        "Left: Spearman’s correlation of the other measures with the model’s own log- "
        "odds of turning back, at the backtracks that both have looked at. Measures "
        "that agree with them by construction are left out. Dotted: no relation. "
        "Right: planted languages only, share of backtracks whose planted cause is "
        "among the first three words, by ranking. Short vertical lines: chance.",
        (
            Panel(
                title="Correlation with the log-odds",
                table="loop/correlations",
                across="second",
                value="rho",
                where={"first": "log_odds", "same_family": False},
                nothing=0.0,
            ),
            Panel(
                title="Planted cause among the first three",
                only="planted languages only",
                table="loop/causes",
                across="ranking",
                value="share",
                where={"cause": "all"},
                ends=("low", "high"),
                beside=("chance",),
                percent=True,
            ),
        ),
    ),
)
