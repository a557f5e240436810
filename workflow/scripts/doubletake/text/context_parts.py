"""Parts of the context before a position: the question, five parts of the thought."""

import numpy as np

# ASSUME: five parts of equal length in tokens, as in the published figures.
THOUGHT_PARTS = 5
"""Number of equal parts of the thought."""
QUESTION = 0
"""Part of the tokens of the question."""
OUTSIDE = -1
"""Part of tokens that belong to neither question nor thought."""


def context_parts(
    position: int, thought_start: int, question: tuple[int, int] | None
) -> np.ndarray:
    """Part of the context of every token before a position: `[position]`.

    `QUESTION` is the question. 1 to `THOUGHT_PARTS` are equal parts of the thought
    before the position, by tokens; their lengths differ by at most one token.
    `OUTSIDE` are the markers of the prompt, and a thought with fewer tokens than parts.

    Args:
        position: token index; the parts hold the tokens before it.
        thought_start: first token of the thought.
        question: first token of the question and the token after its last one.
    """
    parts = np.full(position, OUTSIDE)
    length = position - thought_start
    if length >= THOUGHT_PARTS:
        parts[thought_start:] = 1 + np.arange(length) * THOUGHT_PARTS // length
    if question is not None:
        parts[slice(*question)] = QUESTION
    return parts
