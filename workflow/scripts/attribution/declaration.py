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
    figures=(
        Figure(
            "places",
            "Importance by place",
            "Attribution patching estimates, for every token before the position, "
            "how much the metric changes when the residual stream there is replaced "
            "by its mean. The importance of a token is the largest size over layers. "
            "Left: the mean token of the question and of five equal parts of the "
            "thought so far, relative to the mean token of the context (1). Right: "
            "the largest token of each part, relative to the largest of all. "
            "Controls are sentence starts of the same thoughts at which the model "
            "went on. Where both lines agree, the pattern is one of starting a "
            "sentence and not of turning back. Points of one part stand side by side "
            "only to be read; bars are bootstrap intervals over problems. Diamonds "
            "are published values, drawn where model and dataset are the same; their "
            "normalisation is not stated in the source. The numbers are in "
            "attribution/places.parquet.",
        ),
        Figure(
            "agreement",
            "The estimate against exact patching",
            "On a seeded sample of positions, layers and tokens the residual stream "
            "is replaced by its mean for real, and the model runs again. By layer, "
            "for the gradient at the clean run and for gradients averaged along a "
            "path (EAP-IG): correlation of estimate and exact change over the tokens "
            "of a position, share of equal signs, and share of the five largest "
            "tokens that the estimate finds too. These are means over positions with "
            "bootstrap intervals over problems. On the right the cells one by one, "
            "on axes that are linear below the median size only; the line is perfect "
            "agreement. Points off the line are what a linear estimate misses: "
            "saturated attention, norms that undo a change of length, effects that "
            "cancel. The numbers are in attribution/checks.parquet and "
            "attribution/cells.parquet.",
        ),
        Figure(
            "layers",
            "Scores by layer",
            "Mean size of a token’s score by layer, on a logarithmic axis. What "
            "earlier tokens hold is read out layer by layer and gathered at the "
            "deciding position, which therefore stands apart on the right. Bands are "
            "bootstrap intervals over problems. The numbers are in "
            "attribution/layers.parquet.",
        ),
    ),
)
