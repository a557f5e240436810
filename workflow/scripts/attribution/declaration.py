"""What this experiment leaves, and what the page calls it."""

from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_LAYERS,
    ATTRIBUTION_OVERLAP,
    ATTRIBUTION_PLACES,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIP_RANKS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

DECLARATION = Experiment(
    name="attribution",
    order=50,
    title="Attribution: which words make it turn back",
    question="Which words before a backtrack make the model turn back?",
    holds="which earlier words make the model turn back",
    shards=(
        ATTRIBUTION,
        ATTRIBUTION_TOKENS,
        ATTRIBUTION_PROMPTS,
        ATTRIBUTION_CELLS,
        RUNS,
        VERIFICATION,
    ),
    tables=(
        ATTRIBUTION_CHECKS,
        ATTRIBUTION_LAYERS,
        ATTRIBUTION_WORDS,
        ATTRIBUTION_PLACES,
        ATTRIBUTION_OVERLAP,
        ATTRIBUTION_SLIPS,
        ATTRIBUTION_SLIP_RANKS,
    ),
    references=("resources/reference/attribution_published.json",),
    config_files=("attribution.stop_words",),
    drawn=(
        Figure(
            "places",
            "Importance by place",
            "Importance of the question and of the thought so far, in five equal "
            "parts: on the left the mean token of each place relative to the mean "
            "token of the context, on the right its largest token relative to the "
            "largest of all. Controls are sentence starts of the same thoughts at "
            "which the model went on: where both lines agree, the pattern is one of "
            "starting a sentence, not of turning back.",
        ),
        Figure(
            "agreement",
            "The estimate against exact patching",
            "Agreement of the estimate with really replacing the residual stream at "
            "one token and layer, for both ways to take the gradient, and the cells "
            "one by one. Points off the diagonal are what a linear estimate misses: "
            "saturated attention, norms that undo a change of length, effects that "
            "cancel.",
        ),
        Figure(
            "layers",
            "Scores by layer",
            "Mean size of a token’s score by layer. What earlier tokens hold is read "
            "out layer by layer and gathered at the deciding position, which stands "
            "apart on the right.",
        ),
    ),
)
