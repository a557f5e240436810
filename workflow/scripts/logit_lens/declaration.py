"""What this experiment leaves, and what the page calls it."""

from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_FIRST,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
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
        RUNS,
        VERIFICATION,
    ),
    drawn=(
        Figure(
            "layers",
            "Backtrack and wrap-up words by layer",
            "Left: mean logit of the words if the model spoke from the residual "
            "stream at that boundary (final norm computed there). Middle and right: "
            "what each layer’s attention and MLP add to the final logit (direct "
            "logit attribution; with the embedding they add up to it). Dashed: the "
            "same words at controls, where the thought goes on. A gap between red "
            "and blue that opens at a layer is where the choice is written; a gap "
            "that is there at controls too says nothing about turning back.",
        ),
        Figure(
            "first",
            "Where a backtrack word becomes the most likely token",
            "Left: share of positions at which a backtrack word leads the logit "
            "lens. Right: the boundary at which it leads for the first time. Late "
            "and steep: the last layers write the word; early: the choice was made "
            "before.",
        ),
        Figure(
            "words",
            "What the model would say at first backtracks",
            "The most likely token where a trace’s first backtrack begins, whatever "
            "was sampled. Grey tokens are no backtrack words of the config: there "
            "sampling turned back against the odds, or the list lacks a word.",
        ),
    ),
)
