"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from look_back.tables import (
    LOOK_BACK,
    LOOK_BACK_HEADS,
    LOOK_BACK_LAYERS,
    LOOK_BACK_OVERLAP,
    LOOK_BACK_SUMMARY,
    LOOK_BACK_WORDS,
)

DECLARATION = Experiment(
    name="look_back",
    order=61,
    title="Looking back",
    question="Does the text after a turn look back at the words that caused it?",
    holds="attention of the words after a turn to the important words before it",
    tables=(
        LOOK_BACK,
        LOOK_BACK_WORDS,
        LOOK_BACK_LAYERS,
        LOOK_BACK_SUMMARY,
        LOOK_BACK_HEADS,
        LOOK_BACK_OVERLAP,
        RUNS,
        VERIFICATION,
    ),
    references=("resources/reference/attribution_published.json",),
    figures=(
        Figure(
            "layers",
            "Attention to important and to matched words, by layer",
            "The words before a position are ranked by their importance for turning "
            "back (attribution). Drawn is the attention of the next words of the "
            "thought to one of the most important words, and to one unimportant word "
            "that matches it: same part of the context, like distance, like "
            "frequency. It is a mean over words, tokens and heads, as a share of the "
            "attention that does not go to the first token, which draws attention "
            "without a meaning. Left: the backtracks that have a matched control. "
            "Middle: these controls, at which the thought went on. Without such pairs: "
            "all selected backtracks. Right: important minus matched words. "
            "Bands are intervals over problems. The numbers are in "
            "look_back/summary.parquet.",
        ),
        Figure(
            "baselines",
            "How much is left with stricter matches",
            "Left: attention of the next words to an important word and to its "
            "matches, at all selected backtracks. In the first row matches stand in "
            "the same part of the context at a like distance and have a like "
            "frequency. In the second row they are also of the same class (number or "
            "word) and have as many tokens. In the third row they also occur again "
            "among the next words if the important word does, and do not if it does "
            "not. Important words without a match are left out, so the rows are of "
            "different words. The last row has the words of the third row and the "
            "matches of the first. Between these two rows only the matches change. "
            "The broken line is the share if attention were spread evenly. Right: "
            "important minus matched words, at backtracks, and within pairs backtrack "
            "minus control. Bars are intervals over problems. The numbers are in "
            "look_back/summary.parquet.",
        ),
        Figure(
            "overlap",
            "Important words that occur again",
            "Left: share of the most important words before a backtrack that occur "
            "among the next words of the thought, and the share of the words that "
            "match them. In the first row matches are words of like frequency in the "
            "same context, at any place, as in the section on attribution. In the "
            "second row they also stand in the same part of the context at a like "
            "distance. In the third row they are also of the same class (number or "
            "word) and have as many tokens. Important words without a match are left "
            "out. Right: important minus matched words, at backtracks, and within "
            "pairs backtrack minus control. A diamond is the published share, drawn "
            "where model and dataset are the same. Bars are intervals over problems. "
            "The numbers are in look_back/overlap.parquet.",
        ),
    ),
    comparison=Comparison(
        "Left: attention of the words after a backtrack to an important word before "
        "it, minus that to its matches; mean over all layers. From place to class to "
        "again the matches are stricter; same_words are the words of again, matched "
        "by place alone. Right: share of the important words that occur again after "
        "the backtrack, minus that of their matches. Dotted: no difference.",
        (
            Panel(
                title="More attention to important words",
                table="look_back/summary",
                across="baseline",
                value="mean",
                where={"kind": "backtrack", "layer": None, "quantity": "difference"},
                ends=("low", "high"),
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="More important words occur again",
                table="look_back/overlap",
                across="baseline",
                value="mean",
                where={"kind": "backtrack", "quantity": "difference"},
                ends=("low", "high"),
                nothing=0.0,
                percent=True,
            ),
        ),
    ),
)
