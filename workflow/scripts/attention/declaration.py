"""What this experiment leaves, and what the page calls it."""

from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="attention",
    order=60,
    title="Attention",
    question="Which heads look at the last arrival when the model turns back, and "
    "which write the turn?",
    holds="where heads look before a turn, and what they write",
    shards=(ATTENTION, RUNS, VERIFICATION),
    tables=(ATTENTION_SUMMARY, ATTENTION_HEADS),
    drawn=(
        Figure(
            "attribution",
            "What each head adds to the words that turn back",
            "Orange heads raise the mean logit of the backtrack words, purple ones "
            "lower it. A head that does the same at controls writes something else "
            "than the turn: the third panel is what is left.",
        ),
        Figure(
            "arrivals",
            "Attention to the last arrival’s sentence",
            "Bright heads look back at the place where the answer was last stated. "
            "In the third panel orange heads do so more where the model turns back "
            "than where it goes on.",
        ),
        Figure(
            "bins",
            "Where each layer looks",
            "Lines above their dashed ones: the bin gets more than its share of "
            "tokens. The panels differ in scale.",
        ),
    ),
)
