"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from injection.tables import (
    INJECTION,
    INJECTION_ATTENDED,
    INJECTION_ATTENTION,
    INJECTION_DECAY,
    INJECTION_FREE,
    INJECTION_FREE_RUNS,
    INJECTION_SUMMARY,
    INJECTION_TESTS,
)

DECLARATION = Experiment(
    name="injection",
    order=68,
    title="Injection at one token",
    question="A vector that is added once moves only the first token, as published. Is "
    "this because the token gets too little attention?",
    holds="how far a vector that is added at one token moves the next tokens",
    tables=(
        INJECTION,
        INJECTION_ATTENTION,
        INJECTION_DECAY,
        INJECTION_SUMMARY,
        INJECTION_ATTENDED,
        INJECTION_TESTS,
        INJECTION_FREE_RUNS,
        INJECTION_FREE,
        RUNS,
        VERIFICATION,
    ),
    figures=(
        Figure(
            "decay",
            "How far the next tokens move",
            "A vector is added to the residual stream at the last token of an "
            "arrival\u2019s sentence, and the thought\u2019s own tokens follow. Lines: "
            "KL(unsteered || injected) of the next token\u2019s distribution, mean "
            "over contexts, by distance from the token; at 0 it is the choice of the "
            "first token. Solid: added once. Dashed: added at every token from there "
            "on. Grey: the range that holds 95% of random vectors of the same length, "
            "added once; hatched, at every token. They are added at fewer problems "
            "than the directions. Thin bars: intervals over problems. The "
            "scale is logarithmic. A solid line that drops steeply is an effect on the "
            "first token alone. The numbers are in injection/decay.parquet.",
        ),
        Figure(
            "attended",
            "Attention to the injected token",
            "Above: attention to the token from later tokens, by their distance, mean "
            "over heads and over the layers from the injection on. Black: the token "
            "unsteered; colours: with a vector added there, once. Below: the "
            "difference by layer, mean over distances, with intervals over problems. "
            "If a line lies below zero, the injected token gets less attention than "
            "the same token unsteered. The numbers are in injection/attended.parquet.",
        ),
        Figure(
            "boosted",
            "The first token\u2019s share, with more attention to the injected token",
            "Share of all divergence that falls on the first token, by the factor that "
            "multiplies the odds of the attention to the injected token, in the "
            "unsteered and in the injected run. Factor 1: as the model attends. Bars "
            "are intervals over problems. If too little attention were the reason, the "
            "share would fall below one half (dashed) with enough attention. The "
            "numbers are in injection/summary.parquet.",
        ),
        Figure(
            "free",
            "Thoughts that go on freely after an injection",
            "The thought is decoded further, with and without an injection, with the "
            "same random numbers. Left: share of runs of which a token differs from "
            "the unsteered run. Right: share that turns back in the next sentence, as "
            "the detector finds it; dashes are the unsteered shares of the same "
            "thoughts. Filled: the vector is added once. Open: at every token. Bars "
            "are intervals over problems. The numbers are in injection/free.parquet.",
        ),
    ),
    comparison=Comparison(
        "A vector is added once, at the last token of an arrival’s sentence; a mark "
        "for each depth and strength. Left: share of all divergence that falls on the "
        "first token. Right: the same with more attention to the injected token. "
        "These intervals are corrected for the number of tests.",
        (
            Panel(
                title="First token’s share of the divergence",
                table="injection/tests",
                across="direction",
                value="share",
                where={"place": "arrival"},
                percent=True,
            ),
            Panel(
                title="The same, with more attention to it",
                table="injection/tests",
                across="direction",
                value="boosted_share",
                where={"place": "arrival"},
                percent=True,
            ),
        ),
    ),
)
