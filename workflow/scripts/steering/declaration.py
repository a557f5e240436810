"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from steering.tables import (
    CELLS,
    LADDER,
    SCREENING,
    SHORT,
    SLOPES,
    STEERING,
    SUMMARY,
    TRENDS,
)

DECLARATION = Experiment(
    name="steering",
    order=67,
    title="Steering",
    question="Does a vector that is added to the residual stream make the model turn "
    "back more or less often, and is the text still whole?",
    holds="thoughts decoded with directions and random vectors added",
    shards=(STEERING, SCREENING, SHORT, VERIFICATION, RUNS),
    tables=(CELLS, LADDER, SUMMARY, TRENDS, SLOPES),
    figures=(
        Figure(
            "strengths",
            "Turning and coherence by strength",
            "Thoughts on problems on which no direction was fitted are continued from "
            "an arrival with the chosen direction added, at every strength. Above: the "
            "probability that the next token is a turn word; in the middle: sampled "
            "continuations that turn back; both as the change against none on the same "
            "thoughts. The band holds the mean of a random vector "
            "of the same norm; squares are directions of shuffled labels, triangles "
            "vectors of the same subspace (means of their draws). Below: coherence, "
            "the geometric mean of the tokens\u2019 probabilities without steering, as "
            "a share of that of none. Text counts as whole above the dashed line. "
            "Positive strengths point toward turning back. Bars are intervals over "
            "problems. The numbers are in steering/ladder.parquet.",
        ),
        Figure(
            "trade",
            "Turns against coherence",
            "Every cell of the screening: continuations that turn back against the "
            "coherence that is left. Cells left of the dashed line have lost more than "
            "the text may lose. The numbers are in steering/cells.parquet.",
        ),
        Figure(
            "screening",
            "Screening: directions by boundary",
            "For each direction and boundary: the slope of the probability of a turn "
            "word on the strength, over all strengths with whole text, divided by the "
            "root mean square of the slopes of random vectors there, at the better "
            "positions. Positive: as the direction says. The largest one is chosen "
            "(box) and tested on other "
            "problems; being the largest of many, it is too large here. The numbers "
            "are in steering/cells.parquet.",
        ),
        Figure(
            "accuracy",
            "Accuracy against tokens of whole thoughts",
            "Whole thoughts, decoded again with the chosen direction at every "
            "strength, with the same prompts and random numbers. A hollow mark: text "
            "is not whole at this strength. Bars are intervals over problems. The "
            "numbers are in steering/summary.parquet.",
        ),
    ),
    comparison=Comparison(
        "The chosen direction of each study at every strength, with the same "
        "positions. Left: share of continuations from an arrival that turn back, "
        "minus that without a vector. Middle: the same with random vectors of equal "
        "length. Right: accuracy of whole thoughts, minus that without a vector. "
        "Dotted: no change. At large strengths the text may be broken; the section of "
        "each study marks where.",
        (
            Panel(
                title="Change of turning back",
                table="steering/ladder",
                across="strength",
                value="turned_shift",
                nothing=0.0,
                where={"source": "direction"},
                axis="strength, in norms of the residual stream",
                percent=True,
            ),
            Panel(
                title="The same with random vectors",
                table="steering/ladder",
                across="strength",
                value="turned_shift",
                nothing=0.0,
                where={"source": "random"},
                axis="strength, in norms of the residual stream",
                percent=True,
            ),
            Panel(
                title="Change of accuracy",
                table="steering/summary",
                across="strength",
                value="accuracy_change",
                axis="strength, in norms of the residual stream",
                nothing=0.0,
                percent=True,
            ),
        ),
    ),
)
