"""Declares the tables, figures and files of this experiment."""

from attention.tables import (
    ATTENTION,
    ATTENTION_HEADS,
    ATTENTION_SUMMARY,
)
from doubletake.study.comparisons import DEPTH, Comparison, Panel
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
            "Direct logit attribution of every attention head to the backtrack words. "
            "This is what the output of the head adds to their logit through its slice "
            "of the output projection and the final norm, without the effect on later "
            "layers. The words are weighted by their probabilities at the position, "
            "and what the head adds to the mean logit of the vocabulary is subtracted. "
            "Logits are those before a cap. Panels: "
            "positions that predict a backtrack and have a matched control, these "
            "controls, and the mean difference of the pairs. Without such pairs, or "
            "with too few for an interval, all backtracks are drawn. Orange heads "
            "raise the logit, purple heads lower it. What a head does at controls too "
            "does not belong to the turn. The "
            "three heads with the largest values in each panel are framed; the largest "
            "of many values are partly chance. All heads with intervals are in "
            "attention/heads.parquet.",
        ),
        Figure(
            "arrivals",
            "Attention to the last arrival’s sentence",
            "Share of each head’s attention that goes to the sentence in which the "
            "thought last stated its answer. Panels: positions that predict a "
            "backtrack and have a matched control, these controls, and the mean "
            "difference of the pairs (all backtracks, where there are no such pairs). "
            "Bright heads look back at the answer. In the third "
            "panel, orange heads look back more where the model "
            "turns back than where it goes on. Where the thought states the arrival "
            "just before the turn, the arrival’s sentence is also the current "
            "sentence. The three heads with the largest values in each panel are "
            "framed. The numbers with intervals are in attention/heads.parquet.",
        ),
        Figure(
            "bins",
            "Where each layer looks",
            "Share of attention by layer, mean over heads. The bins are: the first "
            "token (BOS), the question with the opening of the thought, five equal "
            "parts of the thought before the current sentence, the current sentence "
            "(it ends at the position), and the sentence of the last arrival. The "
            "tokens of the last bin also count in the other bins. Red: backtracks that "
            "have a matched control (all backtracks, where there are no such pairs). "
            "Blue: these controls. Dashed: the bin’s "
            "share if attention were spread evenly over all tokens that the layer "
            "sees. A line above its dashed line means more attention than an even "
            "spread gives. The panels differ in scale. Bands are intervals "
            "over problems. The numbers are in attention/summary.parquet.",
        ),
    ),
    comparison=Comparison(
        "Share of attention to the sentence of the last arrival, mean over heads, by "
        "depth. Left: positions that predict a backtrack and have a "
        "matched control. Middle: all selected controls. Right: backtrack minus "
        "control, within the pairs. Dotted: no difference.",
        tuple(
            Panel(
                title=title,
                table="attention/summary",
                across="layer",
                value="mean",
                where={
                    "measure": "attention",
                    "bin": "arrival_sentence",
                    "kind": kind,
                },
                ends=("low", "high"),
                nothing=0.0 if kind == "difference" else None,
                percent=True,
                of_last=True,
                axis=DEPTH,
            )
            for kind, title in (
                ("matched", "At matched backtracks"),
                ("control", "At controls"),
                ("difference", "Difference"),
            )
        ),
    ),
)
