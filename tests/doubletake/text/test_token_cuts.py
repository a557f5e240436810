"""Completions cut at a character, and changed there, on tokens."""

import random

import pytest
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_traces import make_trace

from doubletake.text.sentences import Span
from doubletake.text.token_cuts import replaced, tokens_before
from doubletake.text.tokenizer import load_tokenizer

TEXT = (
    "First, 12 + 7 = 19 pens \U0001f600 for Tom. So it is 19, or 1,250 cents.\n"
    "Wait, that is 19 – is it?\n</think>\n\nThe answer is 19."
)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(tokenizer_settings(ROOT / "resources/pocket"))


@pytest.fixture(scope="module")
def trace(tokenizer):
    return make_trace(tokenizer, TEXT)


@pytest.mark.parametrize("added", ["", " But 3 is not 4.", "5", "é"])
def test_every_cut_gives_the_text_and_keeps_whole_tokens(tokenizer, trace, added):
    for character in range(len(TEXT) + 1):
        ids = tokens_before(trace, character, added, tokenizer)
        assert tokenizer.decode(ids)[0] == TEXT[:character] + added
        whole = sum(offset < character for offset in trace["offsets"])
        inside = trace["offsets"][whole : whole + 1] != [character]
        kept = whole - 1 if inside and character < len(TEXT) else whole
        same = trace["completion_ids"][: max(0, kept - 3)]
        assert ids[: len(same)] == same


def test_every_change_gives_the_text_and_leaves_the_other_tokens(tokenizer, trace):
    draw = random.Random(0)
    for _ in range(400):
        start, end, stop = sorted(draw.sample(range(len(TEXT) + 1), 3))
        new = draw.choice(["", "7", "twenty-two", "\U0001f600", "\n\nx"])
        stop = max(stop, end)
        changed = replaced(trace, Span(start, end), new, stop, tokenizer)
        ids = list(changed.ids)
        text = tokenizer.decode(ids)[0]
        assert text.startswith(TEXT[:start] + new + TEXT[end:stop])
        assert (
            TEXT[:start] + new + TEXT[end:]
            == text
            + TEXT[len(TEXT) - (len(TEXT[:start] + new + TEXT[end:]) - len(text)) :]
        )
        own = trace["completion_ids"]
        assert ids[: changed.first] == own[: changed.first]
        rest = ids[changed.end :]
        assert rest == own[changed.own_end : changed.own_end + len(rest)]


def test_a_change_of_a_whole_token_touches_no_other(tokenizer, trace):
    start = TEXT.index("19")
    changed = replaced(trace, Span(start, start + 2), "20", len(TEXT), tokenizer)
    own = trace["completion_ids"]
    differing = [
        k
        for k, pair in enumerate(zip(own, changed.ids, strict=True))
        if len(set(pair)) > 1
    ]
    assert len(own) == len(changed.ids)
    assert differing == [changed.first]
    assert changed.end == changed.own_end == changed.first + 1


def test_an_empty_span_is_refused(tokenizer, trace):
    with pytest.raises(ValueError, match="no span"):
        replaced(trace, Span(3, 3), "x", 10, tokenizer)
    with pytest.raises(ValueError, match="no span"):
        replaced(trace, Span(3, 8), "x", 5, tokenizer)
