"""Declares the tables, figures and files of this experiment."""

from attribution.tables import (
    ATTRIBUTION,
    ATTRIBUTION_CELLS,
    ATTRIBUTION_CHECKS,
    ATTRIBUTION_CONTEXT_PARTS,
    ATTRIBUTION_LAYERS,
    ATTRIBUTION_OVERLAP,
    ATTRIBUTION_PROMPTS,
    ATTRIBUTION_SLIP_RANKS,
    ATTRIBUTION_SLIPS,
    ATTRIBUTION_TOKENS,
    ATTRIBUTION_WORDS,
)
from doubletake.study.comparisons import Comparison, Panel
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
        ATTRIBUTION_CONTEXT_PARTS,
        ATTRIBUTION_OVERLAP,
        ATTRIBUTION_SLIPS,
        ATTRIBUTION_SLIP_RANKS,
    ),
    references=("resources/reference/attribution_published.json",),
    config_files=("attribution.stop_words",),
    figures=(
        Figure(
            "context_parts",
            "Importance of question and thought",
            "Attribution patching estimates, for every token before the position, "
            "how much the metric changes when the residual stream there is replaced "
            "by its mean. The importance of a token is its largest |score| over "
            "layers. Left: the mean token of the question and of five equal parts of "
            "the thought so far, relative to the mean token of the context (1). "
            "Right: the largest token of each part, relative to the largest token of "
            "the context. Drawn are the backtracks that have a matched control, and "
            "these controls, at which the model went on; without such pairs, all "
            "selected backtracks. Where the lines of both agree, the pattern belongs "
            "to starting a sentence and not to turning back. "
            "Points of one part stand side by side only so that they can be read. "
            "Bars are intervals over problems. Diamonds are published "
            "values, drawn where model and dataset are the same, with the line of all "
            "selected backtracks, to which they compare; the source does not "
            "state how they are normalised. The numbers, also those of all selected "
            "backtracks and of the differences within pairs, are in "
            "attribution/context_parts.parquet.",
        ),
        Figure(
            "agreement",
            "The estimate against exact patching",
            "On a seeded sample of positions, layers and tokens the residual stream "
            "is really replaced by its mean, and the model runs again. The two "
            "panels on the left show, by layer and over all layers, the gradient at "
            "the clean run and the gradients averaged along a path (EAP-IG). They show "
            "the correlation of estimate and exact change over the tokens of a "
            "position, the share of equal signs, and the share of the five largest "
            "tokens that the estimate finds too. These are means over positions with "
            "intervals over problems. The panel on the right shows the single cells; "
            "its axes are linear only below the median size, and its line is perfect "
            "agreement. Points off the line show what a linear estimate misses: "
            "saturated attention, norms that undo a change of length, effects that "
            "cancel. The numbers are in attribution/checks.parquet and "
            "attribution/cells.parquet.",
        ),
        Figure(
            "layers",
            "Scores by layer",
            "Mean |score| of a token by layer, on a logarithmic axis. Left: earlier "
            "tokens. Right: the position of the turn. It gathers layer by layer what "
            "earlier tokens hold, so it is shown apart. Drawn are the backtracks that "
            "have a matched control, and these controls; without such pairs, all "
            "selected backtracks. Bands are intervals over problems. The numbers, also "
            "those of all selected backtracks and of the differences within pairs, are "
            "in attribution/layers.parquet.",
        ),
    ),
    comparison=Comparison(
        "Left: mean importance of a token in parts of the text before a backtrack; "
        "the mean of the whole text is 1. Middle: the same minus that at matched "
        "controls. Dotted: no difference. Right: the estimate against exact patching "
        "on a sample of cells: correlations, share of equal signs, recall of the "
        "strongest cells. A study with few checked positions has no interval there.",
        (
            Panel(
                title="Importance by part",
                table="attribution/context_parts",
                across="context_part",
                value="mean",
                where={"kind": "backtrack", "quantity": "token"},
                ends=("low", "high"),
                axis="0: question, 1 to 5: fifths of the thought",
                nothing=1.0,
            ),
            Panel(
                title="Backtracks minus matched controls",
                table="attribution/context_parts",
                across="context_part",
                value="mean",
                where={"kind": "difference", "quantity": "token"},
                ends=("low", "high"),
                axis="0: question, 1 to 5: fifths of the thought",
                nothing=0.0,
            ),
            Panel(
                title="Gradient against exact patching",
                table="attribution/checks",
                across="statistic",
                value="mean",
                where={"method": "gradient", "layer": None},
                ends=("low", "high"),
                nothing=0.0,
            ),
        ),
    ),
)
