"""What this experiment leaves, and what the page calls it."""

from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_FIRST,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)

DECLARATION = Experiment(
    name="logit_lens",
    order=20,
    title="Logit lens",
    question="Which layers and parts of the network write the word that turns back?",
    holds="what the residual stream and its parts say at the turns",
    tables=(
        LOGIT_LENS,
        LOGIT_LENS_SUMMARY,
        LOGIT_LENS_FIRST,
        LOGIT_LENS_WORDS,
        VOCABULARY,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "layers",
            "Backtrack and wrap-up words by layer",
            "Left: mean logit of the words if the model spoke from the residual "
            "stream at that boundary, with the final norm computed there (logit "
            "lens). Middle and right: what the attention and the MLP of each layer "
            "add to the final logit (direct logit attribution); with the embedding "
            "they add up to it. Dashed: the same words at controls, where the "
            "thought goes on. A gap between red and blue that opens at a layer is "
            "where the choice is written. A gap that controls show too says nothing "
            "about turning back. Bands are bootstrap intervals over problems. The "
            "numbers are in logit_lens/summary.parquet.",
        ),
        Figure(
            "first",
            "Where a backtrack word becomes the most likely token",
            "Left: share of positions at which a backtrack word is the most likely "
            "token of the logit lens. Right: the boundary at which that is so for "
            "the first time. Late and steep: the last layers write the word. Early: "
            "the choice was made before. The numbers are in "
            "logit_lens/first.parquet.",
        ),
        Figure(
            "words",
            "What the model would say at first backtracks",
            "The most likely token where the first backtrack of a trace begins, "
            "whatever was sampled. Grey tokens are not among the backtrack words of "
            "the config: there sampling turned back against the odds, or the list "
            "lacks a word. The numbers are in logit_lens/words.parquet.",
        ),
    ),
)
