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
    figures=(
        Figure(
            "attribution",
            "What each head adds to the words that turn back",
            "Direct logit attribution of every attention head to the backtrack words "
            "(mean logit of their tokens, before a cap): what the output of the "
            "head, through its slice of the output projection and the final norm, "
            "adds to that logit, without everything later. Panels: positions that "
            "predict a backtrack, controls of the same thoughts, and the difference "
            "within problems. Orange heads raise the logit, purple ones lower it. A "
            "head that does the same at controls writes something else than the "
            "turn: the third panel is what is left. The three largest heads of each "
            "panel are framed. All heads with intervals are in "
            "attention/heads.parquet.",
        ),
        Figure(
            "arrivals",
            "Attention to the last arrival’s sentence",
            "Share of each head’s attention that goes to the sentence in which the "
            "thought last stated its answer. Panels: positions that predict a "
            "backtrack, controls of the same thoughts with an arrival before them, "
            "and the difference within problems. Bright heads look back at the "
            "answer. In the third panel orange heads do so more where the model "
            "turns back than where it goes on. Where the arrival was stated just "
            "before the turn, its sentence is also the one in which the position "
            "stands. The three largest heads of each panel are framed. The numbers "
            "with intervals are in attention/heads.parquet.",
        ),
        Figure(
            "bins",
            "Where each layer looks",
            "Share of attention by layer, heads averaged: to the first token (BOS), "
            "to the question with the opening of the thought, to five equal parts of "
            "the thought up to the position’s own sentence, to that sentence, and to "
            "the sentence of the last arrival, which is counted in the other bins "
            "too. Dashed: what the bin would get if attention were spread evenly "
            "over all tokens that the layer sees. A line above its dashed one: the "
            "bin gets more than its share of tokens. The panels differ in scale. "
            "Bands are bootstrap intervals over problems. The numbers are in "
            "attention/summary.parquet.",
        ),
    ),
)
