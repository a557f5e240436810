"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from exit_guarantees.tables import CHOSEN, CONFORMAL, RISKS

DECLARATION = Experiment(
    name="exit_guarantees",
    order=13,
    title="Exit guarantees",
    question="Which threshold keeps the loss below a stated risk, and is the promise "
    "kept on other problems?",
    holds="thresholds that calibration problems choose and certify, and what they lose "
    "and save on other problems",
    tables=(CHOSEN, RISKS, CONFORMAL),
    figures=(
        Figure(
            "risk",
            "Asked and realised risk, and what is saved",
            "Each column asks that at most a share of the problems loses its right "
            "answer by an early exit (dashed line). Learn-then-Test certifies the "
            "boldest threshold on a third of the problems, for another third; three "
            "rotations report every problem once. Top: share of the problems with a "
            "certificate that lose; a dot right of the dashed line realises more than "
            "was asked. Bottom: kept and trial tokens that are saved, over all "
            "problems; a group without a certificate thinks to the end. "
            "Open dots: certified in one or two of the three groups only. "
            "\u201cnone\u201d: nothing can be certified. Bars are intervals over "
            "problems. The numbers are in exit_guarantees/risks.parquet.",
        ),
        Figure(
            "chosen",
            "Thresholds that other problems have chosen, and published ones",
            "Dots: the threshold is chosen on other problems, as the cheapest one "
            "within one standard error of the best. Diamonds: published thresholds of "
            "the same rule, on the same thoughts. Left: kept and trial tokens that are "
            "saved. Right: accuracy at the stop minus that at the end. Bars are "
            "intervals over problems. No threshold here comes with a guarantee. The "
            "numbers are in exit_guarantees/chosen.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thresholds that other problems of the same study have chosen, by one "
        "standard error. Left: thoughts that lose the right answer that their end "
        "has. Right: kept and trial tokens over those of the whole thoughts. Dotted: "
        "what thinking to the end gives.",
        (
            Panel(
                title="Thoughts that lose their answer",
                table="exit_guarantees/chosen",
                across="rule",
                value="risk",
                where={"choice": "one_standard_error"},
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="Tokens spent, of the whole thoughts",
                table="exit_guarantees/chosen",
                across="rule",
                value="total_rate",
                where={"choice": "one_standard_error"},
                nothing=1.0,
                percent=True,
            ),
        ),
    ),
)
