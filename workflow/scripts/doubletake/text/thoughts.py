"""The thought inside a completion, and the tokens at its characters."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from doubletake.text.sentences import Span


def thought_span(trace: dict[str, Any]) -> Span:
    """Characters of the thought in a completion's text: a row of `schemas.TRACES`."""
    return Span(trace["thought_start"], trace["thought_stop"])


def thought_tokens(trace: dict[str, Any]) -> tuple[int, int]:
    """First token of the thought in the trace, and the one behind its last.

    The token that the end marker begins in is not one of them.

    Args:
        trace: a row of `schemas.TRACES`.
    """
    prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
    first = prompt + bisect_left(offsets, trace["thought_start"])
    end = trace["thought_end"]
    return first, max(first, prompt + len(offsets) if end is None else end)


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
