"""The thought inside a completion, and the tokens at its characters."""

import pytest

from doubletake.detector.thoughts import first_letter, thought_span, token_at


@pytest.mark.parametrize(
    ("text", "thought_end", "expected"),
    [
        ("<think>\nabc</think>\n\nx", 12, "abc"),
        ("<think>\r\nabc</think>", 13, "abc"),
        ("abc</think>x", 4, "abc"),
        ("</think>x", 1, ""),
        ("<think>\n</think>x", 9, ""),
        ("never closed", None, "never closed"),
        ("<think>\nnever closed", None, "never closed"),
        ("a</think>b</think>c", 2, "a"),
        ("", None, ""),
    ],
)
def test_thought(text, thought_end, expected):
    # One token per character after a prompt of one token.
    start, end = thought_span(text, range(len(text)), 1, thought_end)
    assert text[start:end] == expected


def test_tokens_by_their_characters():
    offsets = [0, 3, 3, 7]  # two tokens make up the character at 3
    assert [token_at(offsets, 10, place) for place in (0, 2, 3, 6, 7, 99)] == [
        *(10, 10, 11),
        *(12, 13, 13),
    ]


def test_first_letter():
    assert first_letter("- **Wait**", 0, 10) == 4
    assert first_letter("...", 1, 3) == 1
