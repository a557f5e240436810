"""Declares the tables, figures and files of this experiment."""

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
            "matches, at all selected backtracks. Each set of matches asks for more "
            "than the one above it: `place` for part of the context, distance and "
            "frequency, `class` also for a number or a word and for the length in "
            "tokens, `again` also that the word occurs again, or does not. Important "
            "words without a match are left out, so the important words differ from "
            "row to row. `same words` shows the matches of `place` on the words of "
            "`again`: from there to `again` only the matches change. The grey line is "
            "the share if attention were spread evenly. Right: important minus matched "
            "words, at backtracks and within pairs of a backtrack and its control. "
            "Bars are intervals over problems. The numbers are in "
            "look_back/summary.parquet.",
        ),
        Figure(
            "overlap",
            "Important words that occur again",
            "Left: share of the most important words before a backtrack that occur "
            "among the next words of the thought, and the share of the words that "
            "match them. `frequency` takes words of like frequency in the same "
            "context, at any place, as the section on attribution does. `place` also "
            "asks for the same part of the context and a like distance, `class` also "
            "for a number or a word and for the length in tokens. Right: important "
            "minus matched words, at backtracks and within pairs of a backtrack and "
            "its control. A diamond is the published share, drawn where model and "
            "dataset are the same. Bars are intervals over problems. The numbers are "
            "in look_back/overlap.parquet.",
        ),
    ),
)
