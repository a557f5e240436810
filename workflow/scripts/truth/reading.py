"""For later stages: planted probabilities in new texts, and slips of the language."""

from typing import Any, NamedTuple

from doubletake.text.trace_positions import thought_span
from pocket.reading import possible_slips, read_thought


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


def language_slips(question: str, trace: dict[str, Any]) -> dict[int, str]:
    """Slips that the planted language would write in a thought that has none.

    Args:
        question: of the planted language.
        trace: a row of `TRACES`.

    Returns:
        The wrong result by the first character of the right one, in the trace's text.
    """
    start, stop = thought_span(trace)
    found = possible_slips(question, trace["text"][start:stop])
    return {at + start: str(wrong) for at, wrong in found.items()}
