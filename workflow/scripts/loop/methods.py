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
    Method("log_odds", NEXT_WORD, "next word", "the model's log-odds of a turn"),
    Method("lens", NEXT_WORD, "logit lens", "the logit lens inside the model"),
    Method("heads_write", NEXT_WORD, "heads write", "what the leading heads write"),
    Method("rate", NEXT_WORD, "resampled", "the resampled probability of turning"),
    Method("probe", PROBE, "probe", "the probe's score"),
    Method("value_vectors", PROBE, "value vectors", "what the value vectors write"),
    Method("top_score", ATTRIBUTION, "top word", "the top word's estimated score"),
    Method(
        "concentration", ATTRIBUTION, "concentration", "the share of the top ten words"
    ),
    Method("question_share", ATTRIBUTION, "question", "the question's share"),
    Method("exact_support", ATTRIBUTION, "exact patching", "the top exact effect"),
    Method(
        "arrival_attention", ATTENTION, "to the arrival", "attention to the arrival"
    ),
    Method("look_back", ATTENTION, "looks back", "the look back at important words"),
    Method("steering", INTERVENTION, "steering", "the effect of steering"),
    Method("units_support", INTERVENTION, "units", "the effect of the units"),
    Method("heads_support", INTERVENTION, "heads", "the effect of the heads"),
    Method("confidence", ANSWER, "confidence", "the confidence before the turn"),
    Method("shifted", ANSWER, "answer shifts", "whether the answer shifts"),
)
BY_COLUMN = {method.column: method for method in METHODS}

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
