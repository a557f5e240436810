"""Ranks words by importance, and finds less important words of similar frequency."""

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


def frequency_class(occurrences: int) -> int:
    """Class of words of similar frequency: 0 for 1, 1 for 2 or 3, 2 for 4 to 7, ..."""
    return occurrences.bit_length() - 1


def matched_share(
    flags: Sequence[bool], occurrences: Sequence[int], top: int
) -> float | None:
    """Expected share of true flags among random words that match the top words.

    For every one of the first `top` words, a word is drawn from the remaining words of
    its frequency class. If this class is empty, the nearest class with words is used.
    The expectation over all draws is computed, so the result does not depend on chance.

    Args:
        flags: one flag per word, the most important word first.
        occurrences: how often each word occurs in its context.
        top: how many words are matched.

    Returns:
        None if there are no words after the first `top`.
    """
    # ASSUME: a word of similar frequency in the same context is a fair match.
    flags_by_class: dict[int, list[bool]] = {}
    for flag, count in zip(flags[top:], occurrences[top:], strict=True):
        flags_by_class.setdefault(frequency_class(count), []).append(flag)
    if not flags_by_class:
        return None
    shares = {name: sum(drawn) / len(drawn) for name, drawn in flags_by_class.items()}
    total = 0.0
    for count in occurrences[:top]:
        wanted = frequency_class(count)
        total += shares[min(shares, key=lambda name: (abs(name - wanted), name))]
    return total / len(occurrences[:top])
