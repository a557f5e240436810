"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import DEPTH, Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from logit_lens.tables import (
    LOGIT_LENS,
    LOGIT_LENS_LEADING,
    LOGIT_LENS_PARTS,
    LOGIT_LENS_RANDOM,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
    VOCABULARY,
)

DECLARATION = Experiment(
    name="logit_lens",
    order=20,
    title="Logit lens",
    question="Which layers and parts of the network write the word that turns back?",
    holds="which words the residual stream and its parts favour at the turns",
    tables=(
        LOGIT_LENS,
        LOGIT_LENS_SUMMARY,
        LOGIT_LENS_PARTS,
        LOGIT_LENS_LEADING,
        LOGIT_LENS_WORDS,
        LOGIT_LENS_RANDOM,
        VOCABULARY,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "layers",
            "Backtrack and wrap-up words by layer",
            "Left: mean logit of the words if the model answered from the residual "
            "stream at this boundary, with the final norm computed there (logit "
            "lens). Middle and right: what the attention and the MLP of each layer "
            "add to the final logit (direct logit attribution). Embedding, attention "
            "and MLPs together add up to the final logit. The words are weighted by "
            "their final probabilities at the position. Above: the mean logit of the "
            "vocabulary is subtracted, because what is added to every token alike "
            "changes no probability. Below: raw logits, as in published figures. "
            "Solid: backtracks that have a matched control. Dashed: the same words at "
            "these controls, where the thought goes on. What both share comes with any "
            "sentence at such a place. Without "
            "such pairs, or with too few for an interval, all backtracks are drawn "
            "alone. Grey: random "
            "groups with as many tokens as there are backtrack words, weighted alike, "
            "at all backtracks. Bands are intervals over problems. The numbers are in "
            "logit_lens/summary.parquet and logit_lens/parts.parquet, with the "
            "differences within pairs and their intervals.",
        ),
        Figure(
            "leading",
            "From which boundary a backtrack word is the most likely token",
            "Left: share of positions at which a backtrack word is the most likely "
            "token of the logit lens, at backtracks that have a matched control and at "
            "these controls. Without such pairs, or with too few for an interval, all "
            "backtracks are drawn alone. Right: share of all backtracks at which a "
            "backtrack word leads from this boundary to the end. A word that leads "
            "only in between is not counted there. The lens reads "
            "every boundary with the final norm and unembedding, so a word that does "
            "not lead early may still be written there in another form. If "
            "turns.predicted_only is on, all backtracks reach 100% at the "
            "last boundary because they were chosen so; controls were not. The numbers "
            "are in logit_lens/leading.parquet.",
        ),
        Figure(
            "words",
            "Most likely tokens at first backtracks",
            "The model\u2019s most likely token where the first backtrack of a trace "
            "begins. The sampled token may be another one. Grey tokens are not among "
            "the backtrack words of the config. At these tokens either sampling chose "
            "a less likely token, or the list lacks a word. The numbers are in "
            "turns.parquet.",
        ),
    ),
    comparison=Comparison(
        "By depth. Left: logit of the backtrack words, minus the mean of the "
        "vocabulary, at backtracks. Dashes: random groups of words. Middle: the same "
        "at backtracks minus that at their matched controls. Right: share of "
        "backtracks at which a backtrack word is the most likely token. Dotted: no "
        "difference.",
        (
            Panel(
                title="Logit of backtrack words",
                table="logit_lens/summary",
                across="layer",
                value="mean",
                where={
                    "component": "resid",
                    "group": "backtrack",
                    "logit": "centred",
                    "kind": "backtrack",
                },
                ends=("low", "high"),
                beside=("random",),
                of_last=True,
                axis=DEPTH,
            ),
            Panel(
                title="Backtracks minus matched controls",
                table="logit_lens/summary",
                across="layer",
                value="mean",
                where={
                    "component": "resid",
                    "group": "backtrack",
                    "logit": "centred",
                    "kind": "difference",
                },
                ends=("low", "high"),
                of_last=True,
                axis=DEPTH,
                nothing=0.0,
            ),
            Panel(
                title="A backtrack word is the likeliest",
                table="logit_lens/leading",
                across="boundary",
                value="share_leading",
                where={"kind": "backtrack"},
                ends=("low", "high"),
                of_last=True,
                axis=DEPTH,
                percent=True,
            ),
        ),
    ),
)
