"""Words, the tokens that hold them, and stop words."""

from itertools import accumulate

import pytest

from doubletake.running.errors import InputError
from doubletake.text.words import name_of, read_stop_words, words_of


def tokens_of(*pieces: str) -> tuple[str, list[int]]:
    """The text of these tokens, and the character at which each starts."""
    lengths = [len(piece) for piece in pieces]
    return "".join(pieces), [0, *accumulate(lengths[:-1])]


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
    assert [(word.name, word.first_token, word.last_token) for word in found] == wanted


def test_a_span_and_a_first_token_shift_the_words():
    text, offsets = tokens_of("<s>", "Tom", " has", " pens", "</s>")
    span = (text.index("Tom"), text.index("</s>"))
    found = list(words_of(text, offsets, span, text_start=10))
    assert [(word.name, word.first_token) for word in found] == [
        ("tom", 11),
        ("has", 12),
        ("pens", 13),
    ]


def test_equal_words_share_a_name():
    assert name_of("Pens") == name_of("pens")
    assert name_of("1,200") == name_of("1200.0") == name_of("1200")
    assert name_of("don\u2019t") == name_of("Don't")


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
    from doubletake.text.number_words import UNITS

    words = read_stop_words(SCRIPTS.parents[1] / "resources/stop_words/english.txt")
    assert {"the", "of", "and", "how", "let's"} <= words
    assert not words & set(UNITS)
    assert len(words) > 150
