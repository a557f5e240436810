r"""Sentences of a thought, with their exact characters.

Sentences end at punctuation and at line breaks. A full stop does not end a sentence
inside a decimal, after a list marker ("1.") or after an abbreviation. A displayed
formula (`\[ ... \]`, `$$ ... $$`) is not cut at its line breaks. The time is linear in
the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


# ASSUME: other words before a full stop are not abbreviations.
ALWAYS_ABBREVIATIONS = frozenset(
    str.split("mr mrs ms dr st prof vs e.g i.e eg ie approx fig eq")
)
# Abbreviations only where the text goes on with a small letter or a digit.
SOMETIMES_ABBREVIATIONS = frozenset(
    str.split("jr sr etc no oz lb lbs ft hr hrs min mins sec secs in a.m p.m u.s")
)
LOOK_BACK = 12  # characters before a full stop that decide what it means

# Possessive: a run of full stops is matched once, never again from its middle.
_BOUNDARY = re.compile(
    r"(?P<stop>[.!?\u2026\u3002\uff01\uff1f]++[\"'\u2019\u201d)\]*_]*+)"
    r"|(?P<line>[\r\n][ \t\r\n]*+)"
    r"|(?P<open>\\\[)|(?P<close>\\\])|(?P<dollars>\$\$)"
)
_WIDE_STOPS = "\u3002\uff01\uff1f"  # no space follows them
_LIST_MARKER = re.compile(r"(?:^|[\r\n])[ \t>*#-]*\d{1,3}\.$")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)\.$")


@lru_cache(maxsize=4)
def sentences(text: str) -> tuple[Span, ...]:
    """Spans of the sentences of a text, in order, without white space around them."""
    running = RunningSentences()
    running.finish(text)
    return tuple(running.spans)


class RunningSentences:
    """The sentences of a text that is still being written.

    What follows changes no sentence that is known. Only the sentence under way is read
    again when the text grows.
    """

    def __init__(self) -> None:
        """Start before the first character."""
        self.spans: list[Span] = []
        """The sentences that are known, without white space around them."""
        self.start = 0
        """The character after the last of them and what ends it."""
        self._in_formula = False  # there

    def read(self, text: str) -> None:
        """Read on: `text` is the whole text so far."""
        for end, start, in_formula in _boundaries(text, self.start, self._in_formula):
            if start == len(text) or end_shows_at(text, end) > len(text):
                return  # more of it, or no end after all
            self._add(text, end, start, in_formula)

    def ends_here(self, text: str) -> bool:
        """Whether a sentence seems to end where the text so far ends.

        White space may follow the end. What will follow can show that it was none: a
        point after a digit may belong to a decimal.
        """
        self.read(text)
        return any(
            not text[end:].strip() and bool(text[self.start : end].strip())
            for end, _, _ in _boundaries(text, self.start, self._in_formula)
        )

    def finish(self, text: str) -> None:
        """Read the rest of the whole text; its end also ends a sentence."""
        for end, start, in_formula in _boundaries(text, self.start, self._in_formula):
            self._add(text, end, start, in_formula)
        self._add(text, len(text), len(text), False)

    def _add(self, text: str, end: int, start: int, in_formula: bool) -> None:
        _add(self.spans, text, self.start, end)
        self.start, self._in_formula = start, in_formula


def _boundaries(
    text: str, start: int, in_formula: bool
) -> Iterator[tuple[int, int, bool]]:
    """Where sentences end and go on, and whether a formula goes on there."""
    for match in _BOUNDARY.finditer(text, start):
        kind = match.lastgroup
        if kind in ("open", "close"):
            in_formula = kind == "open"
        elif kind == "dollars":
            in_formula = not in_formula
        elif kind == "line":
            blank = match.group().count("\n") > 1
            if blank or not in_formula:
                in_formula = in_formula and not blank
                yield match.start(), match.end(), in_formula
        elif not in_formula and _ends_sentence(text, match):
            yield match.end(), match.end(), in_formula


def sentence_end(text: str, character: int) -> int:
    """End (exclusive) of the sentence that holds a character.

    For a character between two sentences it is the end of the first one, so that a cut
    there never adds text.

    Raises:
        IndexError: the character lies outside the text.
    """
    if not 0 <= character < len(text):
        raise IndexError(f"no character {character} in a text of {len(text)}")
    spans = sentences(text)
    index = bisect_right(spans, (character, len(text) + 1)) - 1
    return spans[index].end if index >= 0 else character


def end_shows_at(text: str, end: int) -> int:
    """Number of characters that show whether a sentence ends at a place.

    The text up to the next character that is not white space decides it. A bracket
    needs the character after it. One more than the text has: only its end shows it.

    Args:
        text: of the thought, and what follows it.
        end: a place in the text.
    """
    shown = end
    while shown < len(text) and text[shown].isspace():
        shown += 1
    return shown + 1 + (text[shown : shown + 1] == "<")


def cut_after(text: str, arrival_end: int) -> int:
    """Character at which a thought is cut after the sentence of an arrival.

    Args:
        text: of the thought, without the text that follows it.
        arrival_end: the character after the arrival.
    """
    return max(sentence_end(text, arrival_end - 1), arrival_end)


def starts_line(text: str, start: int) -> bool:
    """Whether a line or the text starts at a character, spaces left aside."""
    while start and text[start - 1] in " \t":
        start -= 1
    return start == 0 or text[start - 1] in "\r\n"


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    """Append the span without the white space around it, unless it is empty then."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether a run of full stops or other end marks ends a sentence."""
    end, stops = match.end(), match.group()
    if stops[0] in _WIDE_STOPS:
        return True
    following = text[end : end + 2]
    if not following.strip():
        next_char = _next_letter(text, end)
    elif following[0].isspace():
        next_char = following[1]
    elif following == "</":  # an end-of-thought marker
        return True
    else:  # "correct.Then": only a capital letter after a small letter
        before = text[max(0, match.start() - 2) : match.start()]
        return following[0].isupper() and len(before) == 2 and before.islower()
    if not stops.startswith("."):
        return True
    if stops.startswith("..") and next_char.islower():
        return False
    return stops[:2].rstrip("\"')]*_") != "." or not _is_abbreviation(
        text, match, next_char
    )


def _next_letter(text: str, start: int) -> str:
    """First character from `start` on that is not a space; empty if it is far."""
    return text[start : start + LOOK_BACK].lstrip()[:1]


def _is_abbreviation(text: str, match: re.Match[str], next_char: str) -> bool:
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
    abbreviation = word[1].lower()
    if abbreviation in ALWAYS_ABBREVIATIONS:
        return True
    return abbreviation in SOMETIMES_ABBREVIATIONS and (
        next_char.islower() or next_char.isdigit()
    )
