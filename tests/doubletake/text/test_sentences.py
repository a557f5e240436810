"""Sentences and the character at which a thought is cut after one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubletake.text.sentences import sentence_end, sentences

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=300) | st.lists(
    st.sampled_from(["Wait, ", "3.5", "1. ", ".", "?", "\n", "\\[", "\\]", "$$", " a "])
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It is 3.5 of 1,200.75. Next", ["It is 3.5 of 1,200.75.", "Next"]),
        ("So it is 18. But wait", ["So it is 18.", "But wait"]),
        ("1. Add them.\n2. Divide.", ["1. Add them.", "2. Divide."]),
        ("first line\nsecond line\r\nthird", ["first line", "second line", "third"]),
        ("Mr. Lee has e.g. 3 cats vs. 2. Ok", ["Mr. Lee has e.g. 3 cats vs. 2.", "Ok"]),
        ("It takes 5 min. at most. Good", ["It takes 5 min. at most.", "Good"]),
        ("Hmm... let me see... Wait.", ["Hmm... let me see...", "Wait."]),
        ('"Is it 5?" Yes.', ['"Is it 5?"', "Yes."]),
        ("**Wait.** No", ["**Wait.**", "No"]),
        ("\\[\n5 + 3 = 8.\n\\]\nSo", ["\\[\n5 + 3 = 8.\n\\]", "So"]),
        ("$$\na\n$$\nb", ["$$\na\n$$", "b"]),
        ("that is correct.Then go", ["that is correct.", "Then go"]),
        ("It is 8.</think>\n\nSo", ["It is 8.", "</think>", "So"]),
        ("let it be x. Then y", ["let it be x.", "Then y"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_an_unclosed_formula_ends_with_its_paragraph():
    text = "\\[ never closed\n\nnew paragraph. b"
    assert [text[a:b] for a, b in sentences(text)] == [
        "\\[ never closed",
        "new paragraph.",
        "b",
    ]


def test_the_end_of_the_sentence_that_holds_a_character():
    text = "One is 3.5. Two."
    assert sentence_end(text, 0) == sentence_end(text, 9) == len("One is 3.5.")
    assert sentence_end(text, len("One is 3.5.")) == len("One is 3.5.")
    assert sentence_end(text, 12) == len(text)


@pytest.mark.parametrize("character", [-1, 3])
def test_characters_outside_are_refused(character):
    with pytest.raises(IndexError):
        sentence_end("abc", character)


@given(ANY_TEXT)
def test_spans_cover_all_that_is_no_space_in_order(text):
    spans = sentences(text)
    ends = [0, *(end for _, end in spans)]
    assert all(
        before <= start < end for before, (start, end) in zip(ends, spans, strict=False)
    )
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize("piece", ["a", ".", "1.", "\\[", "\n", "a."])
def test_a_megabyte_without_a_space(piece):
    text = piece * (1_000_000 // len(piece))
    assert all(0 <= start < end <= len(text) for start, end in sentences(text))
