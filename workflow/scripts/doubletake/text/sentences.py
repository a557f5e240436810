r"""Sentences of a thought: exact spans, cut by punctuation and by lines.

A full stop inside a decimal, after a list marker ("1.") or an abbreviation ends no
sentence, and a displayed formula (`\[ ... \]`, `$$ ... $$`) is not cut at its lines.
Time is linear in the text, whatever it holds.
"""

import re
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


ALWAYS_SHORT = frozenset(
    str.split("mr mrs ms dr st prof vs e.g i.e eg ie approx fig eq")
)
# Short only where the sentence goes on in small letters or digits.
SOMETIMES_SHORT = frozenset(
    str.split("jr sr etc no oz lb lbs ft hr hrs min mins sec secs in a.m p.m u.s")
)
LOOK_BACK = 12  # characters before a full stop that decide what it is

# Possessive: a run of stops is consumed once, never tried again from its middle.
_BOUNDARY = re.compile(
    r"(?P<stop>[.!?\u2026\u3002\uff01\uff1f]++[\"'\u2019\u201d)\]*_]*+)"
    r"|(?P<line>[\r\n][ \t\r\n]*+)"
    r"|(?P<open>\\\[)|(?P<close>\\\])|(?P<dollars>\$\$)"
)
_LIST_MARKER = re.compile(r"(?:^|[\r\n])[ \t>*#-]*\d{1,3}\.$")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)\.$")


@lru_cache(maxsize=4)
def sentences(text: str) -> tuple[Span, ...]:
    """Spans of the sentences of `text`, in order, without surrounding white space."""
    spans: list[Span] = []
    start, in_formula = 0, False
    for match in _BOUNDARY.finditer(text):
        kind = match.lastgroup
        if kind in ("open", "close"):
            in_formula = kind == "open"
        elif kind == "dollars":
            in_formula = not in_formula
        elif kind == "line":
            blank = match.group().count("\n") > 1
            if blank or not in_formula:
                in_formula = in_formula and not blank
                _add(spans, text, start, match.start())
                start = match.end()
        elif not in_formula and _ends_sentence(text, match):
            _add(spans, text, start, match.end())
            start = match.end()
    _add(spans, text, start, len(text))
    return tuple(spans)


def sentence_end(text: str, position: int) -> int:
    """End (exclusive) of the sentence of `text` that holds character `position`.

    Between two sentences it is the end of the one before, so that a cut there never
    adds text.

    Raises:
        IndexError: `position` lies outside the text.
    """
    if not 0 <= position < len(text):
        raise IndexError(f"no character {position} in a text of {len(text)}")
    spans = sentences(text)
    index = bisect_right(spans, (position, len(text) + 1)) - 1
    return spans[index].end if index >= 0 else position


def cut_after(text: str, place: int) -> int:
    """Where a thought is cut that ends with the sentence in which `place` lies.

    Args:
        text: of the thought up to its end; what follows must not be in it.
        place: the character behind an arrival.
    """
    return max(sentence_end(text, place - 1), place)


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    """Append the span without its surrounding white space, if anything is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether the run of stops at `match` ends a sentence."""
    end, stops = match.end(), match.group()
    following = text[end : end + 2]
    if not following.strip():
        next_char = _next_letter(text, end)
    elif following[0].isspace():
        next_char = following[1]
    elif following == "</":  # an end-of-thought marker
        return True
    else:  # "correct.Then": only a capital after a small letter
        before = text[max(0, match.start() - 2) : match.start()]
        return following[0].isupper() and len(before) == 2 and before.islower()
    if not stops.startswith("."):
        return True
    if stops.startswith("..") and next_char.islower():
        return False
    return stops[:2].rstrip("\"')]*_") != "." or not _is_short(text, match, next_char)


def _next_letter(text: str, position: int) -> str:
    """First character that is no space, within a few; empty at the end."""
    return text[position : position + LOOK_BACK].lstrip()[:1]


def _is_short(text: str, match: re.Match[str], next_char: str) -> bool:
    """Whether a single full stop belongs to an abbreviation or a list marker."""
    stop = match.start() + 1
    before = text[max(0, stop - LOOK_BACK) : stop]
    if before[-2:-1].isdigit():
        return bool(_LIST_MARKER.search(before)) and (
            stop > LOOK_BACK or "\n" in before or before.strip()[:-1].isdigit()
        )
    word = _LAST_WORD.search(before)
    if word is None:
        return False
    short = word[1].lower()
    if short in ALWAYS_SHORT:
        return True
    return short in SOMETIMES_SHORT and (next_char.islower() or next_char.isdigit())
