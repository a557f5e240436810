"""The thought inside a completion, and the tokens at its characters."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from doubletake.sentences import Span

OPENING = "<think>"


def thought_span(
    text: str, offsets: Sequence[int], prompt_length: int, thought_end: int | None
) -> Span:
    """Characters of the thought in a completion's text.

    From after a leading `<think>` and its line break to the end-of-thought marker, the
    token `thought_end` of the trace; to the end of the text where it is None.

    Args:
        text: the completion's text.
        offsets: per completion token the character at which it starts.
        prompt_length: number of prompt tokens.
        thought_end: token index of the end-of-thought marker.
    """
    end = len(text) if thought_end is None else offsets[thought_end - prompt_length]
    start = len(text) - len(text.lstrip())
    if text.startswith(OPENING, start):
        start += len(OPENING)
        while start < end and text[start] in "\r\n":
            start += 1
    else:
        start = 0
    return Span(min(start, end), end)


def token_at(offsets: Sequence[int], prompt_length: int, character: int) -> int:
    """Index in the trace of the token that holds a character of the completion's text.

    The first of them where several tokens make up the one character.
    """
    first = bisect_left(offsets, character)
    if first < len(offsets) and offsets[first] == character:
        return prompt_length + first
    return prompt_length + bisect_right(offsets, character) - 1


def first_letter(text: str, start: int, end: int) -> int:
    """Place of the first letter or digit between `start` and `end`; `start` if none."""
    return next((i for i in range(start, end) if text[i].isalnum()), start)
