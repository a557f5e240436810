"""Words, their tokens, their ranking, and what they are compared with."""

import pytest

from attribution.words import (
    frequency_class,
    matched_share,
    name_of,
    rank_words,
    read_stop_words,
    words_of,
)
from doubletake.running.errors import InputError


def tokens_of(*pieces: str) -> tuple[str, list[int]]:
    offsets, place = [], 0
    for piece in pieces:
        offsets.append(place)
        place += len(piece)
    return "".join(pieces), offsets


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        (("Tom", " has", " 12", "."), [("tom", 0, 0), ("has", 1, 1), ("12", 2, 2)]),
        (("al", "tern", "ativ", "ely,"), [("alternatively", 0, 3)]),
        (("1", ",", "200", " pens"), [("1200", 0, 2), ("pens", 3, 3)]),
        (("3.50",), [("3.5", 0, 0)]),
        (("it", "'s", " so"), [("it's", 0, 1), ("so", 2, 2)]),
        (("12+7=", "19"), [("12", 0, 0), ("7", 0, 0), ("19", 1, 1)]),
        (("\n\n", "Wait", ","), [("wait", 1, 1)]),
        (("=", " +", " "), []),
    ],
)
def test_tokens_are_merged_to_words(pieces, wanted):
    text, offsets = tokens_of(*pieces)
    found = words_of(text, offsets, (0, len(text)))
    assert [(word.name, word.first, word.last) for word in found] == wanted


def test_a_span_and_a_first_token_shift_the_words():
    text, offsets = tokens_of("<s>", "Tom", " has", " pens", "</s>")
    span = (text.index("Tom"), text.index("</s>"))
    found = list(words_of(text, offsets, span, first_token=10))
    assert [(word.name, word.first) for word in found] == [
        ("tom", 11),
        ("has", 12),
        ("pens", 13),
    ]


def test_equal_words_share_a_name():
    assert name_of("Pens") == name_of("pens")
    assert name_of("1,200") == name_of("1200.0") == name_of("1200")
    assert name_of("don\u2019t") == name_of("Don't")


def test_ranking_takes_the_best_token_of_the_best_occurrence():
    text, offsets = tokens_of(
        "Tom", " sees", " the", " to", "ad", " and", " tom", "ato"
    )
    words = list(words_of(text, offsets, (0, len(text))))
    importance = [0.1, 0.5, 9.0, 0.2, 0.7, 9.0, 0.4, 0.05]
    ranked = rank_words(words, importance, frozenset(["the", "and"]))
    assert [(r.word.name, r.token, r.importance) for r in ranked] == [
        ("toad", 4, 0.7),
        ("sees", 1, 0.5),
        ("tomato", 6, 0.4),
        ("tom", 0, 0.1),
    ]


def test_occurrences_are_counted_and_ties_go_to_the_earlier():
    text, offsets = tokens_of("a1", " b", " b", " c")
    words = list(words_of(text, offsets, (0, len(text))))
    ranked = rank_words(words, [0.0, 0.3, 0.3, 0.3], frozenset())
    assert [(r.word.name, r.token, r.occurrences) for r in ranked][:2] == [
        ("b", 1, 2),
        ("c", 3, 1),
    ]


def test_frequency_classes_double():
    assert [frequency_class(n) for n in (1, 2, 3, 4, 7, 8)] == [0, 1, 1, 2, 2, 3]


def test_matched_share_is_the_expectation_over_draws():
    # Top: one word of class 0, one of class 2. Others: class 0 with 1 of 4 that
    # follow; class 1 (the nearest to 2) with 2 of 2.
    flags = [True, True, True, False, False, False, True, True]
    counts = [1, 4, 1, 1, 1, 1, 2, 3]
    assert matched_share(flags, counts, 2) == pytest.approx((1 / 4 + 1) / 2)
    assert matched_share(flags[:2], counts[:2], 2) is None


def test_a_list_of_stop_words(tmp_path):
    path = tmp_path / "stop.txt"
    path.write_text("# name: two words here\nThe\n\nDon\u2019t\n", encoding="utf-8")
    assert read_stop_words(path) == {"the", "don't"}
    path.write_text("the\nof the\n")
    with pytest.raises(InputError, match="line 2: more than one word: 'of the'"):
        read_stop_words(path)
    with pytest.raises(InputError, match="cannot read the stop words"):
        read_stop_words(tmp_path / "gone.txt")


def test_the_shipped_list_holds_function_words_and_no_numbers():
    from doubletake.running.digests import SCRIPTS
    from doubletake.text.numerals import UNITS

    words = read_stop_words(SCRIPTS.parents[1] / "resources/stop_words/english.txt")
    assert {"the", "of", "and", "how", "let's"} <= words
    assert not words & set(UNITS)
    assert len(words) > 150
