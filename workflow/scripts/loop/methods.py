"""The methods that are compared: their column, their family, their names in words.

Two numbers of one family agree because of how they are made: they are computed from the
same logits, along the same direction or from the same scores. So agreement within a
family says nothing, and nothing is claimed of it.
"""

from dataclasses import dataclass

NEXT_WORD, PROBE, ATTRIBUTION = "next word", "probe", "attribution"
ATTENTION, INTERVENTION, ANSWER = "attention", "intervention", "answer"
PLANTED = "planted"


@dataclass(frozen=True)
class Method:
    """One number of every event."""

    column: str
    """Its column in `LOOP`."""
    family: str
    label: str
    """Its name in the figure."""
    phrase: str
    """Its name in sentences."""


METHODS = (
    Method("log_odds", NEXT_WORD, "next word", "the model\u2019s log-odds of a turn"),
    Method("lens", NEXT_WORD, "logit lens", "the logit lens inside the model"),
    Method(
        "heads_write", NEXT_WORD, "heads write (DLA)", "what the leading heads write"
    ),
    Method(
        "rate", NEXT_WORD, "resampled turns", "the resampled probability of turning"
    ),
    Method("probe", PROBE, "probe", "the probe\u2019s score"),
    Method("value_vectors", PROBE, "value vectors", "what the value vectors write"),
    Method(
        "top_score",
        ATTRIBUTION,
        "top word\u2019s score",
        "the top word\u2019s estimated score",
    ),
    Method(
        "concentration",
        ATTRIBUTION,
        "ten words\u2019 share",
        "the share of the ten top words",
    ),
    Method(
        "question_share",
        ATTRIBUTION,
        "question\u2019s share",
        "the question\u2019s share of the scores",
    ),
    Method(
        "exact_support",
        ATTRIBUTION,
        "exact patching",
        "the largest exact effect of a word",
    ),
    Method(
        "arrival_attention",
        ATTENTION,
        "attends the arrival",
        "attention to the arrival",
    ),
    Method(
        "look_back",
        ATTENTION,
        "looks back",
        "the attention of the next words to important words",
    ),
    Method("steering", INTERVENTION, "steering", "the effect of steering"),
    Method("units_support", INTERVENTION, "units at 0", "the effect of units at 0"),
    Method("heads_support", INTERVENTION, "heads at 0", "the effect of heads at 0"),
    Method(
        "confidence",
        ANSWER,
        "confidence",
        "the confidence of the answer before the turn",
    ),
    Method("shifted", ANSWER, "answer shifts", "whether the answer shifts"),
)
BY_COLUMN = {method.column: method for method in METHODS}

AUROC, SPEARMAN, WITHIN = "auroc", "spearman", "within"
STATISTICS = (AUROC, SPEARMAN, WITHIN)
"""Of a method against what was planted; `within`: ranked within each kind of cause."""
CAUSE, PROBABILITY, TWIN = "cause", "probability", "twin_effect"
TARGETS = {
    CAUSE: Method("has_cause", PLANTED, "cause", "whether a cause holds"),
    PROBABILITY: Method(
        "planted", PLANTED, "probability", "the planted probability of turning"
    ),
    TWIN: Method("twin_effect", PLANTED, "twins", "the effect of the cause by twins"),
}
"""What is known of the events of a planted language."""

EXPECTED = (
    ("log_odds", "probe"),
    ("rate", "probe"),
    ("heads_write", "heads_support"),
    ("value_vectors", "units_support"),
    ("top_score", "look_back"),
    ("log_odds", "shifted"),
)
"""Pairs of different families that one would expect to agree."""

MAX_ABS, MEAN_ABS = "max_abs", "mean_abs"
EXACT, SAME_EVENTS = "exact", "same_events"
RANKINGS = (MAX_ABS, MEAN_ABS, EXACT, SAME_EVENTS)
"""By what words are ranked, to look for the planted cause."""
