"""Where trial points lie, and what is known there."""

import random
from itertools import pairwise

import pytest
from tiny_traces import QUESTION, make_trace

from doubletake.exit_rules.places import ThoughtPlaces, limited, places_of
from doubletake.exit_rules.points import (
    ARRIVAL,
    CUE,
    END,
    EVERY,
    KINDS,
    PARAGRAPH,
    SENTENCE,
)
from doubletake.text.tokenizer import load_tokenizer

THOUGHT = (
    "First, 12 + 7 = 19. Wait, let me check that.\n\n7 + 12 = 19, so it is 19. Then "
    "the answer is 19."
)
CLOSED = THOUGHT + "\n</think>\n\nThe answer is 19."
ALL = [kind for kind in KINDS if kind != END]


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


def found(tokenizer, text=CLOSED, kinds=ALL, every=1000, end=()):
    """Trace and points, the points by the text that they keep."""
    trace = make_trace(tokenizer, text, end=end)
    thought = ThoughtPlaces(trace, tokenizer.stop_ids, "</think>")
    points = places_of(thought, QUESTION, kinds, every)
    return trace, {kept(trace, point.cut): point for point in points}


def kept(trace, tokens):
    """The text of the first tokens of a trace, without its prompt."""
    ends = [*trace["offsets"], len(trace["text"])]
    return trace["text"][: ends[tokens - len(trace["prompt_ids"])]]


def test_every_kind_stands_at_its_place(tokenizer):
    _, points = found(tokenizer)
    sentences = [
        "",
        "First, 12 + 7 = 19.",
        "First, 12 + 7 = 19. Wait, let me check that.",
        THOUGHT.removesuffix(" Then the answer is 19."),
        THOUGHT,
    ]
    assert list(points) == sentences
    assert [point.kinds for point in points.values()] == [
        set(),
        {SENTENCE, CUE, ARRIVAL},
        {SENTENCE, PARAGRAPH},
        {SENTENCE, ARRIVAL},
        {SENTENCE, END},
    ]
    assert [point.arrivals for point in points.values()] == [0, 1, 1, 2, 2]
    assert [point.cues for point in points.values()] == [0, 1, 1, 1, 1]
    assert [point.value for point in points.values()] == [None, *["19"] * 4]


def test_what_is_known_is_read(tokenizer):
    trace, points = found(tokenizer)
    start, cue, paragraph, _, end = points.values()
    assert start.read == start.cut == len(trace["prompt_ids"])
    # The cue is known when its word ends; a sentence end when the next one begins.
    assert "Wait," in kept(trace, cue.read)
    assert "check" not in kept(trace, cue.read)
    assert kept(trace, paragraph.read).rstrip().endswith("7")
    assert end.read == trace["thought_end"] + 1


def test_only_the_chosen_kinds_are_points(tokenizer):
    _, points = found(tokenizer, kinds=[PARAGRAPH])
    assert [set(point.kinds) for point in points.values()] == [
        set(),
        {PARAGRAPH},
        {END},
    ]
    _, points = found(tokenizer, kinds=[])
    assert list(points) == ["", THOUGHT]


def test_every_nth_token_is_counted_from_the_thought(tokenizer):
    trace, points = found(tokenizer, kinds=[EVERY], every=7)
    first = len(trace["prompt_ids"])
    cuts = [point.cut - first for point in points.values() if EVERY in point.kinds]
    length = max(point.cut for point in points.values()) - first
    assert cuts == list(range(7, length + 1, 7))


def test_a_cut_off_sentence_is_no_sentence_end(tokenizer):
    _, points = found(tokenizer, "It is 19. Or is")
    assert [set(point.kinds) for point in points.values()] == [set(), {SENTENCE}, {END}]
    last = list(points.values())[-1]
    assert last.read == last.cut


def test_a_point_never_keeps_the_token_that_ends_the_text(tokenizer):
    (stop,) = tokenizer.stop_ids
    trace, points = found(tokenizer, "It is 19.", end=[stop])
    last = list(points.values())[-1]
    assert (
        last.cut
        == last.read
        == len(trace["prompt_ids"]) + (len(trace["completion_ids"]) - 1)
    )


@pytest.mark.parametrize("text", ["\n</think>\n\nIt is 19.", "</think>19", ""])
def test_an_empty_thought_has_one_point(tokenizer, text):
    _, points = found(tokenizer, text)
    (only,) = points.values()
    assert only.kinds == {END}


def test_points_are_known_in_their_order(tokenizer):
    moved = 0
    for every in range(1, 12):
        _, points = found(tokenizer, every=every)
        ordered = list(points.values())
        assert all(a.cut < b.cut and a.read <= b.read for a, b in pairwise(ordered))
        assert all(point.cut <= point.read for point in ordered)
        (cue,) = (point for point in ordered if CUE in point.kinds)
        moved += SENTENCE not in cue.kinds
        assert {SENTENCE, EVERY} & cue.kinds or cue.cut == cue.read
    assert 0 < moved < 11  # a point among the words of the cue


@pytest.mark.parametrize("kind", ALL)
def test_what_follows_the_read_tokens_changes_no_point(tokenizer, kind):
    """Places and counts of the points of a kind follow from the tokens they read."""
    rng, compared = random.Random(1), 0
    others = [" 5 = 3. Wait, no.", "\n\nBut", ". The answer is 4. ", "x"]
    trace, _ = found(tokenizer)
    for _ in range(90):
        every = rng.randrange(1, 9)
        _, points = found(tokenizer, kinds=[kind], every=every)
        size = rng.randrange(1, len(trace["completion_ids"]))
        ids = trace["completion_ids"][:size]
        text = tokenizer.decode(ids)[0] + rng.choice(others)
        if "</think>" in text or tokenizer.encode(text)[:size] != ids:
            continue
        limit = len(trace["prompt_ids"]) + size
        _, changed = found(tokenizer, text, kinds=[kind], every=every)
        before = [one for one in points.values() if one.read <= limit]
        again = [one for one in changed.values() if one.read <= limit]
        # The end of the thought is known later than another point at the same cut.
        end = list(points.values())[-1].cut
        assert [one for one in again if one.cut != end] == before
        compared += len(before)
    assert compared > 80


def test_a_limit_keeps_start_and_end(tokenizer):
    _, points = found(tokenizer, kinds=[EVERY], every=3)
    whole = list(points.values())
    for most in (2, 3, 7, len(whole) - 1):
        some = limited(whole, most)
        assert len(some) == len({one.cut for one in some}) == most
        assert (some[0], some[-1]) == (whole[0], whole[-1])
    assert limited(whole, None) == limited(whole, len(whole)) == whole
    gaps = [whole.index(one) for one in limited(whole, 5)]
    steps = [b - a for a, b in pairwise(gaps)]
    assert max(steps) - min(steps) <= 1
