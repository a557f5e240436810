"""Words of a text with their tokens, words around a position, and stop words."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.numerals import numerals
from doubletake.text.trace_positions import thought_span, token_at

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True)
class Word:
    """One occurrence of a word."""

    name: str
    """The word in lower case, or a number in canonical form: equal words have equal
    names."""
    start: int
    """First character in the text."""
    end: int
    """The character after its last one."""
    first_token: int
    """Index in the trace of its first token."""
    last_token: int
    """Index in the trace of its last token."""


def words_of(
    text: str, offsets: Sequence[int], span: tuple[int, int], text_start: int = 0
) -> Iterator[Word]:
    """Words inside a span of a text, from left to right.

    A word is a run of letters, with apostrophes inside it, or a number in digits. Its
    tokens are all tokens that hold a character of the word. A token may also hold the
    space before the word or the full stop after it.

    Args:
        text: text of the prompt or of the completion.
        offsets: the character at which each of its tokens starts.
        span: characters of the text.
        text_start: index in the trace of the text's first token.
    """
    for match in _WORD.finditer(text, *span):
        first = token_at(offsets, text_start, match.start())
        last = text_start + bisect_left(offsets, match.end()) - 1
        name, (start, end) = name_of(match.group()), match.span()
        yield Word(name, start, end, first, max(first, last))


def words_around(
    position: int, trace: dict[str, Any], prompt: dict[str, Any]
) -> tuple[list[Word], Iterator[Word]]:
    """The words of question and thought before a position, and those after it.

    A word that holds the token at the position belongs to neither.

    Args:
        position: index of a token in the trace.
        trace: row of `traces.tables.TRACES`.
        prompt: its prompt: `text`, `offsets`, and `start` and `end` of the question.
    """
    prompt_length = len(trace["prompt_ids"])
    span = thought_span(trace)
    before: list[Word] = []
    if prompt["start"] is not None:
        question = (prompt["start"], prompt["end"])
        before += words_of(prompt["text"], prompt["offsets"], question)
    thought = list(
        words_of(trace["text"], trace["offsets"], (span.start, span.end), prompt_length)
    )
    before += [word for word in thought if word.last_token < position]
    return before, (word for word in thought if word.first_token > position)


@cache
def name_of(written: str) -> str:
    """The name that equal words share: "Pens" and "pens", "1,200" and "1200.0"."""
    if written[0].isdigit():
        return next((number.value for number in numerals(written)), written)
    return written.replace("\u2019", "'").lower()


def read_stop_words(path: str | Path) -> frozenset[str]:
    """A list of stop words: one per line; lines that begin with # are comments.

    Raises:
        InputError: the file cannot be read as text, or a line holds several words.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the stop words {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.startswith("#") and len(line.split()) > 1:
            raise InputError(f"{path}, line {number}: more than one word: {line!r}")
    words = [line.strip() for line in lines if not line.startswith("#")]
    return frozenset(name_of(word) for word in words if word)
