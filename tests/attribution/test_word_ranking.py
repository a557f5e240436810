"""Words ranked by importance, and the words that they are compared with."""

import pytest

from attribution.word_ranking import frequency_class, matched_share, rank_words
from doubletake.text.words import Word, words_of


def words_in(*pieces: str) -> list[Word]:
    """The words of a text with these tokens."""
    offsets = [len("".join(pieces[:k])) for k in range(len(pieces))]
    text = "".join(pieces)
    return list(words_of(text, offsets, (0, len(text))))


def test_ranking_takes_the_best_token_of_the_best_occurrence():
    words = words_in("Tom", " sees", " the", " to", "ad", " and", " tom", "ato")
    importance = [0.1, 0.5, 9.0, 0.2, 0.7, 9.0, 0.4, 0.05]
    ranked = rank_words(words, importance, frozenset(["the", "and"]))
    assert [(r.word.name, r.token, r.importance) for r in ranked] == [
        ("toad", 4, 0.7),
        ("sees", 1, 0.5),
        ("tomato", 6, 0.4),
        ("tom", 0, 0.1),
    ]


def test_occurrences_are_counted_and_ties_go_to_the_earlier():
    words = words_in("a1", " b", " b", " c")
    ranked = rank_words(words, [0.0, 0.3, 0.3, 0.3], frozenset())
    assert [(r.word.name, r.token, r.occurrences) for r in ranked][:2] == [
        ("b", 1, 2),
        ("c", 3, 1),
    ]


def test_frequency_classes_double():
    assert [frequency_class(n) for n in (1, 2, 3, 4, 7, 8)] == [0, 1, 1, 2, 2, 3]


def test_matched_share_is_the_expectation_over_draws():
    # Top words: one of class 0, one of class 2. Remaining words: in class 0 one of
    # four follows; in class 1, the nearest to class 2, two of two follow.
    flags = [True, True, True, False, False, False, True, True]
    counts = [1, 4, 1, 1, 1, 1, 2, 3]
    assert matched_share(flags, counts, 2) == pytest.approx((1 / 4 + 1) / 2)
    assert matched_share(flags[:2], counts[:2], 2) is None
