"""Declares the tables, figures and files of this experiment."""

from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_EFFECTS,
    ABLATION_RATES,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="ablation",
    order=70,
    title="Ablation",
    question="What does the model need in order to turn back?",
    holds="turning back without some directions, units and heads, beside random ones",
    tables=(
        ABLATION,
        ABLATION_VERSIONS,
        ABLATION_SETS,
        ABLATION_EFFECTS,
        ABLATION_DECODED,
        ABLATION_RATES,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "effects",
            "The probability of turning back with each target taken away",
            "The probability of turning back right after an arrival, mean over "
            "boundaries of the test problems. Dots: the ablation itself; "
            "filled: the one that claims are made on, hollow: other sizes, other "
            "modes, one boundary. Strokes: 40 random sets of as many that write as "
            "much, or random vectors, and a line that holds 95% of them all; vectors "
            "in the span of the leading principal components stand in a lighter row. "
            "Vertical line: nothing is taken away. All targets are chosen on other "
            "problems. If a dot lies left of the strokes, "
            "the model needs this target in order to turn back, and not just any of "
            "its kind. The numbers are in ablation/effects.parquet and "
            "ablation/sets.parquet.",
        ),
        Figure(
            "coherence",
            "Turning back against coherence",
            "Left: continuations after an arrival, the share that turns back. Right: "
            "whole thoughts, backtracks per 100 tokens. Both against the mean log-prob "
            "of the text under the plain model: the further left, the less the plain "
            "model would have written this text. Filled: an ablation; hollow (left "
            "only): its random sets, another one in every text; diamond: nothing is "
            "taken away. Bars are intervals over problems. An ablation that takes "
            "turning away and "
            "not the language lies below the diamond and not left of it. "
            "The numbers are in ablation/rates.parquet.",
        ),
    ),
    comparison=Comparison(
        "Left: change of the probability of turning back when a target is taken away, "
        "minus that of random targets of the same kind and size. Right: change of the "
        "share of continuations that turn back. Dotted: no change.",
        (
            Panel(
                title="Change beyond random targets",
                table="ablation/effects",
                across="ablation",
                value="over_random",
                where={"claimed": True},
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="Change of turning back, decoded",
                table="ablation/rates",
                across="ablation",
                value="turns_change",
                where={"length": "continuation", "null": "named"},
                nothing=0.0,
                percent=True,
            ),
        ),
    ),
)
