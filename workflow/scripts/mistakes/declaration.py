"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from mistakes.summary_tables import CONTRASTS, PLANTED, SUMMARY
from mistakes.tables import BOUNDARIES, EDITS, MISTAKES

DECLARATION = Experiment(
    name="mistakes",
    order=72,
    title="Mistakes",
    question="Are inserted mistakes noticed and mended?",
    holds="thoughts with one number changed, continued from the next sentence on, "
    "beside unchanged and paraphrased ones",
    shards=(MISTAKES, EDITS, BOUNDARIES, VERIFICATION, RUNS),
    tables=(SUMMARY, CONTRASTS, PLANTED),
    figures=(
        Figure(
            "noticed",
            "Mistakes noticed, right statements after them, and what they cost",
            "One number of a right thought is changed, and the thought is continued. "
            "Columns are places: the first, a middle and the last sentence with an "
            "equation before the first backtrack, the sentence of the final answer, "
            "and a false equation that the model wrote itself. Upper row: the next "
            "sentence turns back, doubts, or states the right number. Middle row: the "
            "right equation or number comes again after the change; of `unit`, the "
            "number with its unit, which the line is not about. Lower row: the final "
            "answer is right. Dark diamonds and the dashed line: the "
            "same thoughts unchanged (`none`); of `own`, with the right result "
            "(`mended`). Gray marks are the other controls. Bars are intervals over "
            "problems. The numbers are in mistakes/summary.parquet.",
        ),
        Figure(
            "versions",
            "The same mistake in the own thought, with a word after it, and from a "
            "user",
            "Share of continuations that state the right equation again or end right, "
            "after a wrong result of the last equation before the first backtrack: in "
            "the own thought, with the word appended to it, and where the same "
            "beginning stands in the user\u2019s turn. There the thought also begins "
            "anew, so the third is an upper end and shows no blind spot. Bars are "
            "intervals over problems. The numbers are in mistakes/contrasts.parquet.",
        ),
        Figure(
            "planted",
            "Turning back at the next boundary, beside what the language plants",
            "Only for a planted language. For every kind of change: the share of "
            "continuations that turn back at the next boundary (dots, with intervals "
            "over problems), and the mean probability that the language plants there "
            "(dashes), as its reader reads the changed text. Gray: 0.1 around it. All "
            "places but the final answer. The numbers are in mistakes/planted.parquet.",
        ),
    ),
    comparison=Comparison(
        "A right thought is changed and continued: one number, or, as a comparison, "
        "nothing (none), words alone (paraphrase), a neutral sentence after it "
        "(filler). wait and external change a result too, and add a word or make it "
        "the user’s text. Left and middle: continuations that turn back at the next "
        "sentence, by the change, at the first and at the last sentence with an "
        "equation. Short vertical lines: the same thoughts without a change. Right: "
        "continuations that end right.",
        (
            Panel(
                title="Turns back, first place",
                table="mistakes/summary",
                across="kind",
                value="turned",
                where={"place": "early"},
                beside=("turned_base",),
                percent=True,
            ),
            Panel(
                title="Turns back, last place",
                table="mistakes/summary",
                across="kind",
                value="turned",
                where={"place": "last"},
                beside=("turned_base",),
                percent=True,
            ),
            Panel(
                title="Ends right, last place",
                table="mistakes/summary",
                across="kind",
                value="accuracy",
                where={"place": "last"},
                percent=True,
            ),
        ),
    ),
)
