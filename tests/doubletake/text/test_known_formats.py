"""Known formats of thoughts, and the format of a model."""

import pytest

from doubletake.running.errors import InputError
from doubletake.text.known_formats import (
    KNOWN_FORMATS,
    format_of_markers,
    format_of_model,
    recognised_format,
)
from doubletake.text.thought_format import ThoughtFormat

THINK = KNOWN_FORMATS[0]
CHANNELS = KNOWN_FORMATS[-1]
BARE = ThoughtFormat("", "</think>")


def test_formats_differ():
    assert len({known.start for known in KNOWN_FORMATS}) == len(KNOWN_FORMATS)
    assert len({known.end for known in KNOWN_FORMATS}) == len(KNOWN_FORMATS)
    assert all(known.start != known.end for known in KNOWN_FORMATS)


def test_markers_of_white_space_are_refused():
    for start, end in (("<think>", " "), (" ", "</think>"), (None, "\n")):
        with pytest.raises(InputError, match="more than white space"):
            format_of_markers(start, end)


def test_a_thought_cannot_be_opened_without_a_start_marker():
    with pytest.raises(InputError, match="open_thought"):
        format_of_model("", "</think>", "", [], opened=True)


@pytest.mark.parametrize(
    ("template", "tokens", "expected"),
    [
        ("{{ '<think>\\n' }}", [], "</think>"),
        ("{{ content.split('</think>')[-1] }}", ["<think>", "</think>"], "</think>"),
        ("", ["<s>", "<think>", "</think>"], "</think>"),
        ("Write [THINK] and [/THINK].", ["[THINK]", "[/THINK]"], "[/THINK]"),
        ("<think> or [THINK]", ["[THINK]", "[/THINK]"], "[/THINK]"),
        ("<|channel|>analysis<|message|>", ["<|end|>"], CHANNELS.end),
        ("<|user|>{{ content }}<|end|><think>", ["<|end|>"], "</think>"),
        ("<|begin_of_thought|> {thought}", [], "<|end_of_thought|>"),
    ],
)
def test_a_format_is_recognised(template, tokens, expected):
    assert recognised_format(template, tokens).end == expected


@pytest.mark.parametrize(
    ("template", "tokens", "message"),
    [
        ("{{ content }}", ["<s>"], "set start_of_thought and end_of_thought"),
        ("<think> [THINK]", [], "more than one format"),
        ("", ["<think>", "</think>", "[THINK]", "[/THINK]"], "more than one format"),
    ],
)
def test_an_unclear_format_is_refused_with_the_remedy(template, tokens, message):
    with pytest.raises(InputError, match=message):
        recognised_format(template, tokens)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, "</think>", THINK),
        (None, "</mull>", ThoughtFormat("<mull>", "</mull>")),
        (None, "[/MULL]", ThoughtFormat("[MULL]", "[/MULL]")),
        (None, "<|im_start|>answer", KNOWN_FORMATS[-2]),
        ("", "</think>", BARE),
        ("<go>", "<done>", ThoughtFormat("<go>", "<done>")),
        ("<think>", None, THINK),
    ],
)
def test_markers_of_a_config(start, end, expected):
    assert format_of_model(start, end, "{{ content }}", []) == expected


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("<done>", "<done>", "must differ"),
        (None, "<done>", "cannot be told from '<done>'"),
        ("<go>", None, "end_of_thought is not set"),
        ("", None, "end_of_thought is not set"),
    ],
)
def test_markers_that_make_no_format_are_refused(start, end, message):
    with pytest.raises(InputError, match=message):
        format_of_model(start, end, "<think>", [])
