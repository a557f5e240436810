"""For later stages: the words of a cause, probabilities in new texts, and slips."""

from typing import Any, NamedTuple

from doubletake.text.trace_positions import thought_span
from doubletake.text.words import Word
from pocket.reading import QUESTION, possible_slips, read_thought


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


def cause_words(
    words: list[Word],
    boundary: dict[str, Any] | None,
    prompt: dict[str, Any],
    question: str,
    prompt_tokens: int,
) -> list[Word]:
    """The words that overlap the planted cause, in their order.

    Args:
        words: all occurrences of words before the position, of question and thought.
        boundary: row of `TRUTH` of this position; None without a cause.
        prompt: row of `ATTRIBUTION_PROMPTS`.
        question: text of the problem.
        prompt_tokens: number of tokens of the prompt.
    """
    if boundary is None:
        return []
    start, end = boundary["cause_start"], boundary["cause_end"]
    in_question = boundary["cause_in"] == QUESTION
    if in_question:
        if prompt["start"] is None:
            return []
        # The prompt holds the question without the spaces around it.
        shift = prompt["start"] - (len(question) - len(question.lstrip()))
        start, end = start + shift, end + shift
    return [
        word
        for word in words
        if (word.first_token < prompt_tokens) == in_question
        and start < word.end
        and word.start < end
    ]
