"""Positions in a trace: characters and tokens of the thought, token at a character."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from doubletake.text.sentences import Span


def thought_span(trace: dict[str, Any]) -> Span:
    """Characters of the thought in a completion's text.

    Args:
        trace: a row of the traces table.
    """
    return Span(trace["thought_start"], trace["thought_stop"])


def thought_tokens(trace: dict[str, Any]) -> tuple[int, int]:
    """First token of the thought in the trace, and the token after its last.

    The token in which the end marker begins is not part of the thought.

    Args:
        trace: a row of the traces table.
    """
    prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
    first = prompt + bisect_left(offsets, trace["thought_start"])
    end = trace["thought_end"]
    return first, max(first, prompt + len(offsets) if end is None else end)


def token_at(offsets: Sequence[int], prompt_length: int, character: int) -> int:
    """Index in the trace of the token that holds a character of the completion's text.

    It is the first token where several tokens make up the character.

    Args:
        offsets: per token of the completion the character at which it starts.
        prompt_length: in tokens.
        character: of the completion's text.
    """
    first = bisect_left(offsets, character)
    if first < len(offsets) and offsets[first] == character:
        return prompt_length + first
    return prompt_length + bisect_right(offsets, character) - 1


def first_token(trace: dict[str, Any], start: int) -> int | None:
    """The first token of a sentence; None if it also holds what stands before.

    Args:
        trace: a row of the traces table.
        start: first character of the sentence in the trace's text.
    """
    offsets, prompt = trace["offsets"], len(trace["prompt_ids"])
    token = token_at(offsets, prompt, start)
    before = trace["text"][offsets[token - prompt] : start]
    return None if before.strip() else token


def text_between(trace: dict[str, Any], first: int, end: int) -> str:
    """The text of a trace's tokens, from one up to another.

    Args:
        trace: a row of the traces table.
        first: index of a token of the completion, in the trace.
        end: index of the token after the last.
    """
    offsets, prompt = trace["offsets"], len(trace["prompt_ids"])
    ends = [*offsets, len(trace["text"])]
    return str(trace["text"][ends[first - prompt] : ends[end - prompt]])
