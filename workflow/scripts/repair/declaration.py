"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from repair.tables import ARRIVALS, BY_CAUSE, GAINS, LOST, RATES, SHIFTS

DECLARATION = Experiment(
    name="repair",
    order=14,
    title="Repair against damage",
    question="Is thinking on after an arrival worth its tokens?",
    holds="what thinking on does to the answer that a thought holds at its arrivals",
    tables=(ARRIVALS, RATES, GAINS, SHIFTS, LOST, BY_CAUSE),
    figures=(
        Figure(
            "rates",
            "Repair and damage by arrival",
            "Arrivals are those that a reader of the running thought knows; at each of "
            "them an answer is forced. Left: of the wrong answers, the share that is "
            "right later. Right: of the right answers, the share that is wrong later; "
            "the two panels have scales of their own. Later is the answer forced at "
            "the next arrival (at the end of the thought if there is none), or the "
            "thought\u2019s own answer. Below the number of an arrival stands how "
            "many answers could change. Both shares rest on different thoughts. Right "
            "answers may be many more than wrong ones, and then a high rate of repair "
            "weighs less than a low rate of damage: the next figure weighs them. Bars "
            "are intervals over problems. The numbers are in repair/rates.parquet.",
        ),
        Figure(
            "gains",
            "What thinking on gains",
            "Left: share of right answers, forced at the arrival and given at the end "
            "of the same thoughts. Right: the difference per 100 thought tokens after "
            "the arrival; above 0, thinking on raises accuracy. Below each number "
            "stands the number of thoughts that have such an arrival before their end. "
            "They are other thoughts at each arrival, so the dots show no course "
            "within a thought. \u201cAll\u201d takes every arrival as a case. Bars are "
            "intervals over problems; on the right, a dot without a bar means that no "
            "thought changes. The numbers are in repair/gains.parquet.",
        ),
        Figure(
            "causes",
            "Changes by the planted cause of the turn",
            "Arrivals by the planted cause of the turn that follows them. Left: share "
            "of right forced answers at the arrival and at the next one (at the end of "
            "the thought if there is none). Right: share of these answers that change, "
            "for better or worse. Bars are intervals over problems. The numbers are in "
            "repair/causes.parquet.",
        ),
    ),
    comparison=Comparison(
        "Answers that are forced at arrival k, against the thought’s own answer at "
        "its end. Left: of the wrong answers, the share that ends right. Right: of "
        "the right answers, the share that ends wrong.",
        (
            Panel(
                title="Wrong answers repaired by the end",
                table="repair/rates",
                across="arrival",
                value="rate",
                where={"until": "end", "change": "repair"},
                percent=True,
                axis="arrival k",
            ),
            Panel(
                title="Right answers damaged by the end",
                table="repair/rates",
                across="arrival",
                value="rate",
                where={"until": "end", "change": "damage"},
                percent=True,
                axis="arrival k",
            ),
        ),
    ),
)
