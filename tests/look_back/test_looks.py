"""Looks of a trace: words before the position, tokens after it, weights of tokens."""

import pytest
from tiny_look_back import POSITION, THOUGHT, tables

from look_back.looks import COLUMNS, Choice, traces_with_looks

CHOICE = Choice(top_words=4, next_words=5, distance_ratio=3.0)


def look_of(choice=CHOICE, longest=1000, thought=THOUGHT):
    given = tables(["a/0"], **{"a/0": thought})
    (item,) = traces_with_looks(**given, choice=choice, longest=longest)
    (look,) = item.looks
    return item, look


def test_the_next_words_of_the_thought_look_back():
    item, look = look_of()
    # Wait, red, 9, blue, is.
    assert (look.next_words, look.queries) == (5, range(POSITION + 1, POSITION + 6))
    assert len(item.ids) == POSITION + 6
    _, long = look_of(Choice(4, 100, 3.0))
    assert (long.next_words, len(long.queries)) == (12, 12)


def test_words_beyond_what_the_model_reads_are_left_out():
    item, look = look_of(longest=POSITION + 3)
    assert (look.next_words, look.queries) == (2, range(POSITION + 1, POSITION + 3))
    assert len(item.ids) == POSITION + 3


def test_a_thought_that_ends_at_the_position_has_no_tokens_that_look_back():
    item, look = look_of(thought=THOUGHT.split(" Wait")[0])
    assert (look.next_words, len(look.queries)) == (0, 0)
    assert len(item.ids) == POSITION + 1


def test_important_words_stand_at_their_most_important_occurrence():
    _, look = look_of()
    found = [(word.occurrence.word, word.occurrence.tokens) for word in look.words]
    assert found == [("9", range(3, 4)), ("red", range(10, 11)),
                     ("8", range(12, 13)), ("blue", range(13, 14))]  # fmt: skip
    # No important word is a match, and each match is an occurrence in the same part.
    matches = {
        word.occurrence.word: [(p.word, p.tokens.start) for p in word.partners["place"]]
        for word in look.words
    }
    # "pens" occurs twice, in question and thought; "8" and "9" are important.
    assert matches == {"9": [("pens", 4)], "red": [], "8": [], "blue": []}


def test_weights_sum_a_word_and_average_its_matches():
    _, look = look_of(Choice(2, 5, 3.0))
    # Of "9" in the question: "pens" and "8", both twice in the context.
    assert [p.tokens.start for p in look.words[0].partners["place"]] == [4, 6]
    weights = look.weights()
    assert weights.shape == (POSITION + 1, 2, len(COLUMNS))
    assert weights[:, 0, 0].nonzero().flatten().tolist() == [3]
    assert weights[[4, 6], 0, COLUMNS.index("place")].tolist() == [0.5, 0.5]
    assert weights[:, 0].sum(0).tolist() == pytest.approx([1, 1, 1, 1])
    assert weights[6, 0, COLUMNS.index("class")] == 1.0
