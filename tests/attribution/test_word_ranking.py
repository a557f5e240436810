"""Words ranked by importance."""

from attribution.word_ranking import rank_words
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
