"""Names of the kinds of boundaries and sentences, of scores and of measures."""

BACKTRACK, CONTROL, ARRIVAL = "backtrack", "control", "arrival"
KINDS = (BACKTRACK, CONTROL, ARRIVAL)
"""Kinds of boundaries."""
ALL = "all"
SUMMARY_KINDS = (*KINDS, ALL)
WITHIN = "within"
"""All boundaries, ranked within their kind."""
PARTS = (ALL, WITHIN, *KINDS)

OTHER = "other"
SENTENCE_KINDS = (ARRIVAL, BACKTRACK, OTHER)
CAUSE, NO_CAUSE = "cause", "no_cause"

MASS, SAMPLED_MASS, PROBE, PLANTED = "mass", "sampled_mass", "probe", "planted"
SCORES = (MASS, SAMPLED_MASS, PROBE, PLANTED)
"""Columns of `RESAMPLING` that may predict the rate."""

MEASURES = ("resampled", "counterfactual", "forced", "divergence")
"""Columns of `RESAMPLING_SENTENCES`."""
CLAIMED = (MASS, PROBE)
"""Scores of which the page says whether they predict."""
