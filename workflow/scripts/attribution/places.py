"""Places before a decision: the question, and the thought in equal parts."""

import numpy as np

PARTS = 5
"""Equal parts of the thought."""
NOWHERE = -1
"""Place of tokens that belong to neither question nor thought."""


def places_of(
    position: int, thought_start: int, question: tuple[int, int] | None
) -> np.ndarray:
    """Place of every token before a position: `[position]`.

    0: question; 1 to `PARTS`: equal parts of the thought before the position, by
    tokens, earlier parts no longer than later ones by more than one; `NOWHERE`:
    markers of the prompt, and a thought of fewer tokens than parts.
    """
    places = np.full(position, NOWHERE)
    length = position - thought_start
    if length >= PARTS:
        places[thought_start:] = 1 + np.arange(length) * PARTS // length
    if question is not None:
        places[slice(*question)] = 0
    return places
