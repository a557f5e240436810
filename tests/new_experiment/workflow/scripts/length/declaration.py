"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from length.tables import LENGTH

DECLARATION = Experiment(
    name="length",
    order=90,
    title="Length",
    question="Are long thoughts right less often?",
    holds="accuracy by length of the thought",
    tables=(LENGTH,),
    figures=(
        Figure(
            "accuracy",
            "Accuracy by length",
            "Share of right answers in parts of equal counts, from short to long "
            "thoughts. The numbers are in length.parquet.",
        ),
    ),
    comparison=Comparison(
        "Share of right answers by length of the thought. The shares describe these "
        "thoughts, so they have no interval.",
        (
            Panel(
                title="Right answers by length",
                table="length",
                across="tokens",
                value="accuracy",
                measured_once=True,
                percent=True,
                axis="tokens",
            ),
        ),
    ),
)
