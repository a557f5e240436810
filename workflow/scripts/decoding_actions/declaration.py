"""Declares the tables, figures and files of this experiment."""

from decoding_actions.tables import DECODING_ACTIONS, SUMMARY, WORDS
from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="decoding_actions",
    order=15,
    title="Decoding actions",
    question="What happens to accuracy and length if backtracking is forbidden, or one "
    "more turn is forced?",
    holds="thoughts decoded again with words forbidden, or with one more turn",
    shards=(DECODING_ACTIONS, WORDS, VERIFICATION, RUNS),
    tables=(SUMMARY,),
    figures=(
        Figure(
            "actions",
            "Accuracy, length and backtracks with every action",
            "The study\u2019s thoughts are decoded again with the same prompts and "
            "random numbers. NoWait forbids backtrack words throughout the thought. "
            "The control forbids as many other words that are about as frequent, drawn "
            "for every thought. CGRS forbids backtrack words more often the more "
            "certain a trial answer is. s1 puts one more word in place of the first "
            "end of the thought. Left: change of accuracy against length, compared "
            "with the whole thoughts, which are at (100%, 0); the length counts "
            "trial answers, too. Right: backtracks per thought, before (hollow) and "
            "with the action. Bars are intervals over problems. The numbers are in "
            "decoding_actions/summary.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thoughts decoded again with an action, against the study’s own thoughts with "
        "the same prompts and random numbers. Dotted: no change.",
        (
            Panel(
                title="Change of accuracy",
                table="decoding_actions/summary",
                across="action",
                value="change",
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="Tokens, of the own thoughts",
                table="decoding_actions/summary",
                across="action",
                value="total_rate",
                nothing=1.0,
                percent=True,
            ),
            Panel(
                title="Change of backtracks per thought",
                table="decoding_actions/summary",
                across="action",
                value="backtracks_change",
                nothing=0.0,
            ),
        ),
    ),
)
