"""How whole a text is: repetition, compression, loops, and the share of some words.

Steered text breaks in known ways: it repeats itself, runs in a loop, or says one word
again and again. All measures are shares, of tokens, bytes or words.
"""

import re
import zlib
from collections.abc import Collection, Sequence

LONGEST_BLOCK = 64
"""Longest block of tokens that a loop repeats."""
LOOP_TOKENS = 24
"""Shortest end of a text that counts as a loop, in tokens."""
LOOP_TURNS = 3
"""Fewest times that a loop says its block."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def repetition(ids: Sequence[int], n: int) -> float | None:
    """Share of the n-grams of a text that repeat an earlier one.

    It is 1 - (different n-grams) / (n-grams), as in Welleck et al. 2020 (seq-rep-n).

    Args:
        ids: tokens of the text.
        n: tokens of an n-gram.

    Returns:
        A share in [0, 1); None for a text with fewer than n tokens.
    """
    count = len(ids) - n + 1
    if count < 1:
        return None
    different = {tuple(ids[start : start + n]) for start in range(count)}
    return 1 - len(different) / count


def compression_ratio(text: str) -> float | None:
    """Bytes of the text after zlib, divided by its bytes; None for an empty text.

    The more a text repeats itself, the smaller is the ratio. Short texts have a large
    one, even above 1. So compare only texts of like length.
    """
    data = text.encode()
    return len(zlib.compress(data, 9)) / len(data) if data else None


def loops(ids: Sequence[int]) -> bool:
    """Whether a text ends in a block of tokens that is said again and again.

    The block has at most `LONGEST_BLOCK` tokens. It stands at least `LOOP_TURNS` times
    at the end, and all of it together has at least `LOOP_TOKENS` tokens.
    """
    return any(
        _turns(ids, size) >= max(LOOP_TURNS * size, LOOP_TOKENS)
        for size in range(1, min(LONGEST_BLOCK, len(ids) // LOOP_TURNS) + 1)
    )


def _turns(ids: Sequence[int], size: int) -> int:
    """Tokens at the end that repeat with a period, the first block included."""
    length, first = len(ids), len(ids) - size
    while first > 0 and ids[first - 1] == ids[first - 1 + size]:
        first -= 1
    return length - first


def word_share(text: str, words: Collection[str]) -> float | None:
    """Share of the words of a text that are among some words; None without a word.

    Args:
        text: in a language that writes words with letters and spaces.
        words: in small letters; capital letters of the text do not matter.
    """
    found = [match.group().lower() for match in _WORD.finditer(text)]
    wanted = set(words)
    return sum(word in wanted for word in found) / len(found) if found else None
