"""Characters and tokens of a thought, and the token at a character."""

import pytest
from thought_edges import edges_of

from doubletake.text.trace_positions import (
    thought_span,
    thought_tokens,
    token_at,
)


@pytest.mark.parametrize(
    ("text", "thought", "tokens"),
    [
        ("<think>\nabc\n</think>\n\nx", "abc", (8, 12)),
        ("abc</think>x", "abc", (0, 3)),
        ("<think>\n</think>x", "", (8, 8)),
        ("never closed", "never closed", (0, 12)),
        ("", "", (0, 0)),
    ],
)
def test_thought(text, thought, tokens):
    # One token per character after a prompt of one token.
    marker = text.find("</think>")
    row = {
        "prompt_ids": [5],
        "offsets": list(range(len(text))),
        "thought_end": 1 + marker if marker >= 0 else None,
        **edges_of(text),
    }
    assert text[slice(*thought_span(row))] == thought
    assert thought_tokens(row) == tuple(1 + token for token in tokens)


def test_tokens_by_their_characters():
    offsets = [0, 3, 3, 7]  # two tokens make up the character at 3
    assert [token_at(offsets, 10, character) for character in (0, 2, 3, 6, 7, 99)] == [
        *(10, 10, 11),
        *(12, 13, 13),
    ]
