"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from twins.tables import TWINS, TWINS_RATES, TWINS_SUMMARY

DECLARATION = Experiment(
    name="twins",
    order=65,
    title="Twins",
    question="Does the model turn back because of the planted cause?",
    holds="contexts with a planted cause and their twins without it",
    tables=(TWINS, TWINS_SUMMARY, TWINS_RATES, RUNS, VERIFICATION),
    figures=(
        Figure(
            "effects",
            "The effect of each cause, with and without it",
            "A twin is the same context without its cause: the slip is mended, the "
            "distractor is said not to count, or the open word is replaced. Left: mean "
            "probability that the model turns at the boundary, with the cause and in "
            "the twin. It is the mass of the first words that turn, as a share of all "
            "first words at boundaries, at the temperature and top-p of the language. "
            "Right: the mean difference, which is the causal effect of the cause on "
            "this model; bars are intervals over problems. Diamonds: what "
            "was planted in the training texts. All contexts lie before the first "
            "turn, and one cause holds in each. The numbers are in "
            "twins/summary.parquet.",
        ),
        Figure(
            "rates",
            "How often thoughts turn, by cause",
            "Share of the boundaries of the study\u2019s thoughts at which the "
            "thought turns back. Left: by the cause that decides, at all numbers of "
            "turns. Right: where no cause holds, by the number of turns before. "
            "Diamonds: the planted rates. Bars are intervals over problems. "
            "If dots lie on their diamonds, the model turns as often as "
            "it was taught; whether it turns because of the cause, only the twins "
            "tell. The numbers are in twins/rates.parquet.",
        ),
    ),
    comparison=Comparison(
        "Planted languages only. Left: probability of turning back with a cause, "
        "minus that of its twin without it. Dotted: no effect. Right: share of "
        "boundaries at which the thoughts turn back, by the cause that decides. Short "
        "vertical lines: the planted share.",
        (
            Panel(
                title="Effect of the cause",
                only="planted languages only",
                table="twins/summary",
                across="cause",
                value="effect",
                ends=("low", "high"),
                nothing=0.0,
                percent=True,
            ),
            Panel(
                title="Boundaries that turn back",
                only="planted languages only",
                table="twins/rates",
                across="cause",
                value="rate",
                where={"turns": None},
                ends=("low", "high"),
                beside=("planted",),
                percent=True,
            ),
        ),
    ),
)
