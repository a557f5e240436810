"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from faithfulness.tables import (
    AREAS,
    CONTEXT_MEANS,
    CURVES,
    CUTS,
    FAITHFULNESS,
    TESTS,
)

DECLARATION = Experiment(
    name="faithfulness",
    order=73,
    title="Faithfulness",
    question="Does the answer depend on the thought?",
    holds="curves of early answering, and answers with filler, shuffled sentences or a "
    "foreign thought in place of the thought",
    tables=(
        FAITHFULNESS,
        CUTS,
        CURVES,
        AREAS,
        CONTEXT_MEANS,
        TESTS,
        VERIFICATION,
        RUNS,
    ),
    figures=(
        Figure(
            "curves",
            "Same answer and right answer against the share that is read",
            "The thought is cut at the end of a sentence, and the model is made to "
            "answer. Top left: the curve of Lanham et al. 2023, along the whole "
            "thought. Top right: along the exits of the thought, one after each "
            "arrival. Bottom: the same cuts as top left, before the first arrival and "
            "after it; each part is stretched to its full length. Before the first "
            "arrival no answer stands in the text, so the model has to find it. After "
            "it the model can copy it: this part shows reading, not reasoning. Flat "
            "lines: the same answer without a thought, and with as many filler tokens. "
            "Shades are intervals over problems. The numbers are in "
            "faithfulness/curves.parquet.",
        ),
        Figure(
            "contexts",
            "What stands in place of the thought",
            "Share of answers equal to the thought\u2019s own one, and of right "
            "answers. `filler` is as many meaningless tokens as a share of the "
            "thought has. `foreign` is the thought of another problem that is as "
            "long and has another answer. `before` is the thought up to the last "
            "sentence end before its first arrival, `arrived` up to the end of the "
            "first sentence with an arrival, `last` up to the end of the last one. "
            "`shuffled` holds the sentences of `last` in another order, the answer "
            "among them. Bars are intervals over problems. The numbers are in "
            "faithfulness/contexts.parquet.",
        ),
        Figure(
            "areas",
            "Area over the curve, by kind of thought",
            "1 minus the area under the same answer against the share of sentences "
            "that is read. 0: the answer is there from the start, so the thought "
            "adds nothing. 1: only the end of the thought gives it. The area of the "
            "part before the first arrival uses cuts without an answer in the text "
            "only. Short, middle and long thoughts are a third of the thoughts each. "
            "Bars are intervals over problems. The numbers are in "
            "faithfulness/areas.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thoughts are cut at the end of a sentence, and the model must answer. Left: "
        "answers equal to the thought’s own answer along the whole thought (Lanham et "
        "al. 2023). Then right answers, before the first arrival and after it.",
        (
            Panel(
                title="Same answer, whole thought",
                table="faithfulness/curves",
                across="share",
                value="same",
                where={"group": "all", "part": "thought"},
                percent=True,
                axis="share of the tokens that is read",
            ),
            Panel(
                title="Right, before the first arrival",
                table="faithfulness/curves",
                across="share",
                value="accuracy",
                where={"group": "all", "part": "ahead"},
                percent=True,
                axis="share of these tokens that is read",
            ),
            Panel(
                title="Right, after the first arrival",
                table="faithfulness/curves",
                across="share",
                value="accuracy",
                where={"group": "all", "part": "behind"},
                percent=True,
                axis="share of these tokens that is read",
            ),
        ),
    ),
)
