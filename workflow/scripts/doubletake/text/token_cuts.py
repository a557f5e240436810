"""Completions cut at a character and changed there, on tokens; the rest stays as it is.

No token outside the change is made again: the tokens before it are the completion's
own. Where the cut lies inside of a token, the characters of this token before the cut
are encoded together with the text that follows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.text.lossless_tokenizer import LosslessTokenizer
from doubletake.text.sentences import Span


@dataclass(frozen=True)
class ChangedTokens:
    """A completion in which the text of one span was replaced."""

    ids: tuple[int, ...]
    """Token ids of the completion up to `stop`."""
    first: int
    """Tokens of the completion before the change, which are its own."""
    end: int
    """Index in `ids` of the token after the changed ones."""
    own_end: int
    """Index in the completion of the token after those that were replaced."""


def tokens_before(
    trace: dict[str, Any],
    character: int,
    added: str,
    tokenizer: LosslessTokenizer,
) -> list[int]:
    """Tokens of a completion up to a character, and of a text that follows there.

    Args:
        trace: a row of the traces table.
        character: of the completion's text; what comes before it is kept.
        added: the text after it.
        tokenizer: of the model; it takes the text literally.
    """
    text, offsets = trace["text"], trace["offsets"]
    kept = _whole_tokens(offsets, len(text), character)
    start = offsets[kept] if kept < len(offsets) else len(text)
    ids = list(trace["completion_ids"][:kept])
    between = text[start:character] + added
    return ids + (tokenizer.encode_plain(between) if between else [])


def replaced(
    trace: dict[str, Any],
    span: Span,
    replacement: str,
    stop: int,
    tokenizer: LosslessTokenizer,
) -> ChangedTokens:
    """Tokens of a completion up to a character, with the text of a span replaced.

    The tokens that hold a character of the span are made again, with the rest of their
    characters. All others are the completion's own. A `stop` inside of a token is moved
    to the end of this token, but never past the next token's start.

    Args:
        trace: a row of the traces table.
        span: characters of the completion's text; it is not empty.
        replacement: what stands there instead.
        stop: a character after the span.
        tokenizer: of the model; it takes the text literally.

    Raises:
        ValueError: the span is empty, or ends after `stop`.
    """
    if not span.start < span.end <= stop:
        raise ValueError(f"no span {span} before character {stop}")
    text, offsets = trace["text"], trace["offsets"]
    ends = [*offsets, len(text)]
    first = _whole_tokens(offsets, len(text), span.start)
    own_end = max(bisect_left(ends, span.end), first + 1)
    while own_end < len(offsets) and ends[own_end] == ends[own_end - 1]:
        own_end += 1  # several tokens make up one character
    last = max(bisect_left(ends, stop), own_end)
    middle = text[ends[first] : span.start] + replacement
    middle += text[span.end : ends[own_end]]
    own = trace["completion_ids"]
    changed = [*own[:first], *(tokenizer.encode_plain(middle) if middle else [])]
    return ChangedTokens((*changed, *own[own_end:last]), first, len(changed), own_end)


def _whole_tokens(offsets: Sequence[int], length: int, character: int) -> int:
    """How many first tokens end at or before a character."""
    if character >= length:
        return len(offsets)
    number = bisect_left(offsets, character)
    if number < len(offsets) and offsets[number] == character:
        return number
    inside = bisect_right(offsets, character) - 1
    return bisect_left(offsets, offsets[inside]) if inside >= 0 else 0
