"""Words of a text and the tokens that make them up; stop words; their ranking."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from doubletake.running.errors import InputError
from doubletake.text.numerals import numerals
from doubletake.text.trace_positions import token_at

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True)
class Word:
    """One occurrence of a word."""

    name: str
    """In lower case; a number in canonical form: equal words are equal here."""
    start: int
    """First character in the text."""
    first: int
    """First token in the trace."""
    last: int
    """Last token in the trace."""


def words_of(
    text: str, offsets: Sequence[int], span: tuple[int, int], first_token: int = 0
) -> Iterator[Word]:
    """Words inside a span of a text, from left to right.

    A word is a run of letters, apostrophes inside it included, or a number in digits.
    Its tokens are all that hold a character of it, so that a token with a space before
    the word, and one with a stop behind it, counts.

    Args:
        text: of the prompt or of the completion.
        offsets: the character at which each of its tokens starts.
        span: characters of the text.
        first_token: index in the trace of the text's first token.
    """
    for match in _WORD.finditer(text, *span):
        first = token_at(offsets, first_token, match.start())
        last = first_token + bisect_left(offsets, match.end()) - 1
        yield Word(name_of(match.group()), match.start(), first, max(first, last))


@cache
def name_of(written: str) -> str:
    """What equal words share: "Pens" and "pens", "1,200" and "1200.0"."""
    if written[0].isdigit():
        return next((number.value for number in numerals(written)), written)
    return written.replace("\u2019", "'").lower()


@dataclass(frozen=True)
class Ranked:
    """A word of a context with its most important occurrence."""

    word: Word
    token: int
    """The occurrence's most important token."""
    importance: float
    occurrences: int


def rank_words(
    words: Sequence[Word], importance: Sequence[float], stop_words: frozenset[str]
) -> list[Ranked]:
    """The different words of a context, the most important first.

    A word is as important as its most important token at its most important
    occurrence; of equals the earlier one comes first.

    Args:
        words: of the context.
        importance: by token of the trace.
        stop_words: left out.
    """
    best: dict[str, tuple[float, int, Word]] = {}
    counts: dict[str, int] = {}
    for word in words:
        if word.name in stop_words:
            continue
        counts[word.name] = counts.get(word.name, 0) + 1
        tokens = range(word.first, word.last + 1)
        token = max(tokens, key=lambda place: importance[place])
        if word.name not in best or importance[token] > best[word.name][0]:
            best[word.name] = (importance[token], token, word)
    ranked = [
        Ranked(word, token, value, counts[name])
        for name, (value, token, word) in best.items()
    ]
    return sorted(ranked, key=lambda item: (-item.importance, item.token))


def frequency_class(occurrences: int) -> int:
    """Words alike in frequency: 0 for one, 1 for 2 or 3, 2 for 4 to 7, ..."""
    return occurrences.bit_length() - 1


def matched_share(
    flags: Sequence[bool], occurrences: Sequence[int], top: int
) -> float | None:
    """Expected share of true flags among random words that match the top ones.

    For every one of the first `top` words a word is drawn from the others of its
    frequency class, or of the nearest class that has any; the expectation over all
    draws is computed, so that no chance is left in it.

    Args:
        flags: of each word, the most important first.
        occurrences: of each word in its context.
        top: how many words are matched.

    Returns:
        None where there is no other word.
    """
    others: dict[int, list[bool]] = {}
    for flag, count in zip(flags[top:], occurrences[top:], strict=True):
        others.setdefault(frequency_class(count), []).append(flag)
    if not others:
        return None
    shares = {found: sum(drawn) / len(drawn) for found, drawn in others.items()}
    total = 0.0
    for count in occurrences[:top]:
        wanted = frequency_class(count)
        total += shares[min(shares, key=lambda found: (abs(found - wanted), found))]
    return total / len(occurrences[:top])


def read_stop_words(path: str | Path) -> frozenset[str]:
    """A list of stop words: one per line, lines that begin with # are comments.

    Raises:
        InputError: no text file, or a line with more than one word.
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
