"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from resampling.tables import (
    RESAMPLING,
    RESAMPLING_DRAWS,
    RESAMPLING_IMPORTANCE,
    RESAMPLING_PREDICTION,
    RESAMPLING_ROLLOUTS,
    RESAMPLING_SENTENCES,
    RESAMPLING_STABILITY,
    RESAMPLING_SUMMARY,
)

DECLARATION = Experiment(
    name="resampling",
    order=71,
    title="Resampling",
    question="Would the thought turn back again if it were written again from there?",
    holds="thoughts written again from before a sentence: how often they turn back, "
    "what predicts it, and which sentences matter",
    shards=(RESAMPLING, RESAMPLING_DRAWS, RESAMPLING_ROLLOUTS, VERIFICATION, RUNS),
    tables=(
        RESAMPLING_SENTENCES,
        RESAMPLING_SUMMARY,
        RESAMPLING_STABILITY,
        RESAMPLING_PREDICTION,
        RESAMPLING_IMPORTANCE,
    ),
    figures=(
        Figure(
            "stability",
            "How often a thought turns back again",
            "Thoughts are cut right before a sentence and written again several times. "
            "Left: of each boundary, the share of new thoughts whose next sentence "
            "turns back, in order. Full dots: stable boundaries, at which nearly all "
            "new thoughts do as the study\u2019s thought did (it turned at backtracks "
            "only); open dots: unstable ones. Bars are intervals over draws. Right: "
            "the share of boundaries at which at least one of n new thoughts differs "
            "from the study\u2019s. It grows with n, so a share of unstable boundaries "
            "says nothing without n. The numbers are in resampling.parquet and "
            "resampling/stability.parquet.",
        ),
        Figure(
            "prediction",
            "What is known before a word is drawn",
            "Each dot is a boundary: the resampled rate of turning back against the "
            "probability mass of the backtrack words there (left), and against the "
            "score of the study\u2019s matched probe, fitted without this problem "
            "(right). Backtracks were selected by their most likely token, so they "
            "have a high mass by choice. Correlations are therefore also given among "
            "ranks within each kind of boundary. The numbers are in "
            "resampling/prediction.parquet.",
        ),
        Figure(
            "importance",
            "Which sentences matter",
            "Importance of sentences by the definitions of Thought Anchors. Resampling "
            "and forced importance are accuracy after the sentence minus accuracy "
            "before it: positive, the sentence leads to the right answer. "
            "Counterfactual importance has the opposite sign: accuracy of rollouts "
            "that write an unlike sentence, minus accuracy after the sentence. "
            "Divergence is that of the answers before from those after; the tick is "
            "what chance alone gives. Small dots are sentences, "
            "large ones means; bars are intervals over problems. The numbers are in "
            "resampling/sentences.parquet and resampling/importance.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thoughts are cut right before a sentence and written again. Left: share of "
        "new thoughts whose next sentence turns back. Short vertical lines: the "
        "probability of the backtrack words there. Middle: boundaries that are "
        "unstable by the published measure. Right: rank correlation of what is known "
        "before a word is drawn with the resampled rate. Dotted: no relation.",
        (
            Panel(
                title="Rate of turning back",
                table="resampling/summary",
                across="kind",
                value="rate",
                beside=("mass",),
                percent=True,
            ),
            Panel(
                title="Unstable boundaries",
                table="resampling/summary",
                across="kind",
                value="unstable",
                percent=True,
            ),
            Panel(
                title="Rank correlation with the rate",
                table="resampling/prediction",
                across="score",
                value="spearman",
                where={"part": "all"},
                nothing=0.0,
            ),
        ),
    ),
)
