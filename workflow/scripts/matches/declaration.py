"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from matches.tables import BALANCE, DROPPED, MATCHES

DECLARATION = Experiment(
    name="matches",
    order=17,
    title="Matched pairs",
    question="Which backtracks, wrap-ups, controls and arrivals stand alike, so that a "
    "comparison shows the turn and not its place?",
    holds="pairs of positions that stand alike, for all comparisons",
    tables=(MATCHES, DROPPED, BALANCE),
    figures=(
        Figure(
            "balance",
            "Differences of place, before and after matching",
            "How far the two classes of each comparison differ in their place: mean of "
            "the first class minus mean of the second, in standard deviations. Open: "
            "all events. Filled: the matched pairs. Line start and the kind of the "
            "token before are equal within every pair. For the kind of token, the "
            "kind with the largest difference is shown. Grey: differences below 0.1, "
            "which is usually called balanced. The numbers are in "
            "matches/balance.parquet.",
        ),
    ),
    comparison=Comparison(
        "Mean of the backtracks minus mean of the controls, in standard deviations, "
        "for every quantity that is matched. Left: all cases. Right: the matched "
        "pairs. Dotted: no difference. These are descriptions of the cases, so they "
        "have no interval.",
        (
            Panel(
                title="Before matching",
                table="matches/balance",
                across="covariate",
                value="difference_before",
                where={"contrast": "backtrack_control"},
                measured_once=True,
                nothing=0.0,
            ),
            Panel(
                title="After matching",
                table="matches/balance",
                across="covariate",
                value="difference_after",
                where={"contrast": "backtrack_control"},
                measured_once=True,
                nothing=0.0,
            ),
        ),
    ),
)
