"""Names of the kinds of changes and of the places, as the tables hold them."""

NONE, PARAPHRASE, FILLER = "none", "paraphrase", "filler"
CONTROLS = (NONE, PARAPHRASE, FILLER)
"""Nothing is wrong: unchanged, other words, a neutral sentence more."""

RESULT, OPPOSITE, OPERAND, ANSWER, UNIT = (
    *("result", "opposite", "operand"),
    *("answer", "unit"),
)
MISTAKES = (RESULT, OPPOSITE, OPERAND, ANSWER, UNIT)
"""What is made wrong."""

WAIT, EXTERNAL = "wait", "external"
VERSIONS = (WAIT, EXTERNAL)
"""The mistake `result` once more: with a word after it, and as the user's words."""

OWN, MENDED = "own", "mended"
OWN_KINDS = (OWN, MENDED)
"""A false equation that the model wrote itself: as it is, and made right."""

PLANTED = "planted"
"""The slip that the planted language would write there; only to the next boundary."""

KINDS = (*CONTROLS, *MISTAKES, *VERSIONS, PLANTED, *OWN_KINDS)
"""All kinds, in the order of tables and figures."""
CHOSEN = (*CONTROLS[1:], *MISTAKES, *VERSIONS, OWN)
"""Kinds that the config may choose; `none` and `mended` are always made."""
EQUATIONS = (RESULT, OPPOSITE, OPERAND)
"""Mistakes that make an equation false."""

EARLY, MIDDLE, LAST, FINAL, SLIP = "early", "middle", "last", "final", "slip"
PLACES = (EARLY, MIDDLE, LAST, FINAL, SLIP)
"""Where the text is changed; `slip`: at the model's own false equation."""
BEFORE_TURN = (EARLY, MIDDLE, LAST)
"""Places before the first backtrack."""
ALL = "all"
"""All places before the first backtrack and at the final answer together."""

BASE = {OWN: MENDED}
"""What a kind is compared with, if not with `none` at the same place."""
UNSEEN = (WAIT, EXTERNAL)
"""Kinds of which it is not measured whether the next sentence notices anything: the
word turns back by itself, and a new thought has no next sentence."""

TESTED = {
    **dict.fromkeys((*EQUATIONS, UNIT), LAST),
    ANSWER: FINAL,
    OWN: SLIP,
}
"""By kind: the place at which it is tested, right before the thought would turn."""
