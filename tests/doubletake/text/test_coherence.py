"""Measures of broken text on cases whose values can be counted by hand."""

import random
import zlib

import pytest

from doubletake.text.coherence import compression_ratio, loops, repetition, word_share


@pytest.mark.parametrize(
    ("ids", "n", "share"),
    [
        ([1, 2, 3, 4], 2, 0),
        ([1, 2, 1, 2], 2, 1 / 3),
        ([1, 1, 1, 1, 1], 3, 2 / 3),
        ([1, 2, 3], 3, 0),
        ([1, 2], 3, None),
        ([], 1, None),
    ],
)
def test_repetition(ids, n, share):
    assert repetition(ids, n) == (None if share is None else pytest.approx(share))


def test_compression_ratio_is_that_of_zlib():
    text = "Wait, 17 \u00d7 3 = 51. " * 9
    data = text.encode()
    assert compression_ratio(text) == len(zlib.compress(data, 9)) / len(data)
    assert compression_ratio(text) < compression_ratio("Wait, 17 \u00d7 3 = 51. ")
    assert compression_ratio("") is None


@pytest.mark.parametrize("size", [1, 2, 7, 40, 64])
def test_a_loop_is_seen_once_it_is_long_enough(size):
    start = list(range(100, 150))
    block = list(range(size))
    turns = max(3, -(-24 // size))
    assert loops(start + block * turns)
    assert loops(start + block * turns + block[: size // 2])
    assert not loops(start + block * (turns - 1))
    assert not loops(block * turns + start)


def test_text_without_a_loop_has_none():
    rng = random.Random(0)
    assert not loops([rng.randrange(50) for _ in range(2000)])
    assert not loops([])
    assert not loops([5] * 23)
    assert loops([5] * 24)
    assert not loops(list(range(65)) * 5)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Wait, so 3 + 4 is 7. Hmm.", 2 / 4),
        ("WAIT wait Waiting", 2 / 3),
        ("That's what it's for", 0),
        ("12 + 4 = 16", None),
        ("", None),
    ],
)
def test_word_share(text, share):
    found = word_share(text, ["wait", "hmm"])
    assert found == (None if share is None else pytest.approx(share))
