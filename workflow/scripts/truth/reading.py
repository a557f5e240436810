"""For later stages: the planted probability of turning back in a new text."""

from typing import Any, NamedTuple

from doubletake.text.trace_positions import thought_span
from pocket.reading import read_thought


class NextBoundary(NamedTuple):
    """The first boundary after a place of a thought in the planted language."""

    start: int
    """Where its sentence begins, in the trace's text."""
    choice: str | None
    """What the thought does there, as in `TRUTH`; None: no sentence of the language."""
    cause: str
    """The planted cause that decides."""
    probability: float
    """The planted probability of turning back."""


def next_boundary(
    question: str, trace: dict[str, Any], character: int
) -> NextBoundary | None:
    """The first boundary at or after a character; None if the thought reaches none.

    Args:
        question: of the planted language.
        trace: a row of `TRACES`, or one of a new completion.
        character: of its text.
    """
    start, stop = thought_span(trace)
    for one in read_thought(question, trace["text"][start:stop]).boundaries:
        if one.start + start >= character:
            return NextBoundary(
                one.start + start, one.choice, one.cause.kind, one.probability
            )
    return None
