"""For each important word: unimportant words at a like place, and of a like kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doubletake.stats.matched_words import frequency_class
from doubletake.text.words import Word
from look_back.tables import AGAIN, ATTENTION_BASELINES, CLASS, PLACE


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of a word in the context of a position."""

    word: str
    tokens: range
    """Its tokens, as indices of the trace."""
    part: int
    """Its part of the context (`doubletake.text.context_parts`)."""
    occurrences: int
    """How often the word occurs in the context."""
    follows: bool
    """Whether the word occurs among the next words."""

    @property
    def is_number(self) -> bool:
        """Whether the word is a number in digits."""
        return self.word[0].isdigit()


@dataclass(frozen=True)
class ImportantWord:
    """An important word with its matches."""

    rank: int
    """1: the most important word."""
    occurrence: Occurrence
    """Its most important occurrence."""
    partners: dict[str, list[Occurrence]]
    """By baseline (`ATTENTION_BASELINES`)."""


def occurrences_of(
    words: Sequence[Word],
    parts: np.ndarray,
    follows: dict[str, bool],
    counts: dict[str, int],
) -> list[Occurrence]:
    """All occurrences of the ranked words, from left to right.

    Args:
        words: of question and thought before the position.
        parts: part of the context of every token before the position.
        follows: by ranked word, whether it occurs among the next words.
        counts: by ranked word, how often it occurs.
    """
    return [
        Occurrence(
            word.name,
            range(word.first_token, word.last_token + 1),
            int(parts[word.first_token]),
            counts[word.name],
            follows[word.name],
        )
        for word in words
        if word.name in counts
    ]


def matched(
    important: Occurrence,
    candidates: Sequence[Occurrence],
    position: int,
    distance_ratio: float,
) -> dict[str, list[Occurrence]]:
    """The candidates that match an important word, by baseline.

    Each baseline asks for more than the one before it: `PLACE` for the same part of
    the context, a like distance to the position and the same class of frequency,
    `CLASS` also for a number or a word, and as many tokens, `AGAIN` also for a word
    that occurs again, or does not.

    Args:
        important: occurrence of an important word.
        candidates: occurrences of words that are not important.
        position: the words lie before it.
        distance_ratio: largest ratio of two distances to the position.
    """
    # ASSUME: a word at a like place and of like frequency gets as much attention for
    # these reasons as the important one.
    distance = position - important.tokens.start

    def is_near(other: Occurrence) -> bool:
        far = position - other.tokens.start
        return max(far, distance) <= distance_ratio * min(far, distance)

    wanted = frequency_class(important.occurrences)
    place = [
        other
        for other in candidates
        if other.part == important.part
        and frequency_class(other.occurrences) == wanted
        and is_near(other)
    ]
    form = (important.is_number, len(important.tokens))
    of_class = [o for o in place if (o.is_number, len(o.tokens)) == form]
    again = [other for other in of_class if other.follows == important.follows]
    by_name = {PLACE: place, CLASS: of_class, AGAIN: again}
    return {name: by_name[name] for name in ATTENTION_BASELINES}
