"""Ranks the words of a context by importance."""

from collections.abc import Sequence
from dataclasses import dataclass

from doubletake.text.words import Word


@dataclass(frozen=True)
class RankedWord:
    """A word of a context with its most important occurrence."""

    word: Word
    """The most important occurrence."""
    token: int
    """Most important token of this occurrence: its index in the trace."""
    importance: float
    """Importance of this token."""
    occurrences: int
    """How often the word occurs in the context."""


def rank_words(
    words: Sequence[Word], importance: Sequence[float], stop_words: frozenset[str]
) -> list[RankedWord]:
    """The different words of a context, the most important first.

    Of equally important words the earlier one comes first.

    Args:
        words: all occurrences of words in the context.
        importance: importance of every token of the trace.
        stop_words: words that are left out.
    """
    best: dict[str, tuple[float, int, Word]] = {}
    counts: dict[str, int] = {}
    for word in words:
        if word.name in stop_words:
            continue
        counts[word.name] = counts.get(word.name, 0) + 1
        # ASSUME: a word is as important as the best token of its best occurrence.
        tokens = range(word.first_token, word.last_token + 1)
        token = max(tokens, key=lambda index: importance[index])
        if word.name not in best or importance[token] > best[word.name][0]:
            best[word.name] = (importance[token], token, word)
    ranked = [
        RankedWord(word, token, value, counts[name])
        for name, (value, token, word) in best.items()
    ]
    return sorted(ranked, key=lambda item: (-item.importance, item.token))
