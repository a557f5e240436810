"""Names of the kinds of changes and of the places, as the tables hold them."""

from collections.abc import Mapping

NONE, PARAPHRASE, FILLER = "none", "paraphrase", "filler"
CONTROLS = (NONE, PARAPHRASE, FILLER)
"""Nothing is wrong: unchanged, in other or fewer words, a neutral sentence more."""

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

WRONG = (*MISTAKES, *VERSIONS, PLANTED, OWN)
"""Kinds after which something is wrong."""
LOCAL = (OPERAND, UNIT)
"""Mistakes that leave the number right with which the thought goes on."""

TESTED = {
    **dict.fromkeys(EQUATIONS, (LAST,)),
    ANSWER: (FINAL,),
    UNIT: (LAST, EARLY, MIDDLE, FINAL),
    OWN: (SLIP,),
}
"""By kind: the places at which it may be tested: right before the thought would turn,
and units, which do not stand there in every study, where most problems have them."""


def place_of_test(kind: str, problems: Mapping[str, int]) -> str | None:
    """The place at which a kind is tested; None if it is not tested.

    Args:
        kind: of changes.
        problems: number of problems by place.
    """
    places = [place for place in TESTED.get(kind, ()) if problems.get(place)]
    return max(places, key=lambda place: problems[place], default=None)
