"""Numbers in a text: their characters and their canonical form.

Equal values have equal canonical forms. The canonical form has no separators of
thousands, no currency, no unit and no trailing zeros. A fraction with a short decimal
form is that decimal: "3/4" and "0.750" are both "0.75". Any other fraction is in lowest
terms ("1/3"). A time of day stays as it is ("7:30"), but a full hour is a number:
"2:00" is "2".
"""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import NamedTuple

MAX_DECIMALS = 6  # a fraction with a longer decimal form stays a fraction
MAX_FRACTION_DIGITS = 15  # a longer run of digits beside a slash is not a fraction


class Numeral(NamedTuple):
    """A number in a text."""

    start: int
    end: int
    value: str
    """Canonical form."""
    written: str
    """The way it is written: `digits`, `fraction`, `time` or `words`."""


class _SameLength(dict[int, str]):
    """Maps each character to one: digits to ASCII, dashes to "-", spaces to " "."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            char = str(unicodedata.digit(char))
        elif category == "Pd" or char == "\N{MINUS SIGN}":
            char = "-"
        elif category == "Zs":
            char = " "
        elif char in "\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}":
            char = "'"
        elif char == "\N{FRACTION SLASH}":
            char = "/"
        self[code] = char
        return char


# ASSUME: "1 200" with a narrow space is one number; with a plain space it is two.
_NARROW_SPACES = "\u00a0\u2009\u202f"
_PLAIN = _SameLength({ord(space): "\u202f" for space in _NARROW_SPACES})


def plain(text: str) -> str:
    """The text with ASCII digits, minus signs and spaces; its length stays the same."""
    return text if text.isascii() else text.translate(_PLAIN)


UNITS = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
WORD_VALUES = {
    **{word: value for value, word in enumerate(UNITS)},
    **{word: 10 * value for value, word in enumerate(TENS, start=2)},
    **SCALES,
    "dozen": 12,
}
_WORD = f"(?:{'|'.join(sorted(WORD_VALUES, key=len, reverse=True))})"
_GROUP = r"(?:,(?:\\!)?|\{,\}|\\,|\\!,|\u202f)\d{3}(?!\d)"
_DIGITS = rf"(?:[1-9]\d{{0,2}}(?:{_GROUP})++|\d++|(?=\.\d))(?:\.\d++)?"
_SHORT = rf"\d{{1,{MAX_FRACTION_DIGITS}}}+"
_LATEX_FRACTION = (
    rf"\\[dtc]?frac\{{\s?(?P<top>{_SHORT})\s?\}}\{{\s?(?P<low>{_SHORT})\s?\}}"
)

# Every quantifier is bounded or possessive, so the time is linear in the text.
_IN_DIGITS = re.compile(
    rf"""
      (?:(?P<whole>\d{{1,9}})\ ?)?{_LATEX_FRACTION}
    | (?P<time>[01]?\d:[0-5]\d|2[0-3]:[0-5]\d)(?![\d:])
    | (?:(?P<units>\d{{1,9}})\ )?(?<![/.])(?P<over>{_SHORT})/(?P<under>{_SHORT})
      (?![\d/.]*\d)
    | (?P<digits>{_DIGITS})(?P<scale>\ ?(?:thousand|million|billion)\b)?
    """,
    re.VERBOSE,
)
_SIGN = re.compile(r"(?<![\w)\]}])(?<![\d)\]}] )-(?:\\?\$)?\Z")
_IN_WORDS = re.compile(rf"{_WORD}(?:(?:-| | and |-and-){_WORD})*+(?!\w)")
_DIGIT = re.compile(r"\d|\\[dtc]?frac")
_SEPARATORS = re.compile(r"[^\d.]")


def numerals(text: str) -> Iterator[Numeral]:
    """All numbers of a text, from left to right, without overlap."""
    text = plain(text)
    end = 0
    for numeral in sorted([*_in_digits(text), *_words(text)]):
        if numeral.start >= end:
            end = numeral.end
            yield numeral


def _in_digits(text: str) -> Iterator[Numeral]:
    """Numbers written in digits."""
    start = 0
    while found := _DIGIT.search(text, start):
        start = found.start()
        if start and text[start - 1] == "." and text[start - 2 : start - 1].strip(" $"):
            pass  # the match of "3.5" begins at its 3, so this is "a.5"
        elif start and text[start - 1] == ".":
            start -= 1
        match = _IN_DIGITS.match(text, start)
        if match is None:
            start = found.end()
            continue
        sign = _SIGN.search(text, max(0, start - 4), start)
        value = _read(match, sign is not None)
        if value is not None:
            yield Numeral(sign.start() if sign else start, match.end(), *value)
        start = match.end()


def _words(text: str) -> Iterator[Numeral]:
    """Numbers written in words."""
    lower = text.lower()
    if len(lower) != len(
        text
    ):  # some capital letters have small forms of two characters
        lower = "".join(char.lower()[:1] for char in text)
    for match in _IN_WORDS.finditer(lower):
        start = match.start()
        if start and (lower[start - 1].isalnum() or lower[start - 1] == "_"):
            continue
        value = in_words(match.group())
        if value is not None:
            yield Numeral(start, match.end(), value, "words")


def _read(match: re.Match[str], negative: bool) -> tuple[str, str] | None:
    """Canonical value of one number in digits, and the way it is written."""
    if match["digits"] is not None:
        value = _decimal(match["digits"])
        if match["scale"] and len(value) <= MAX_FRACTION_DIGITS:
            value = fraction_text(
                Fraction(value) * SCALES[match["scale"].strip().lower()]
            )
        return _signed(value, negative), "digits"
    if match["time"] is not None:
        hour, minute = match["time"].split(":")
        hour = hour.lstrip("0") or "0"
        return (hour if minute == "00" else f"{hour}:{minute}"), "time"
    top, low = match["top"] or match["over"], match["low"] or match["under"]
    if not int(low):
        return None
    whole = int(match["whole"] or match["units"] or 0)
    return _signed(
        fraction_text(whole + Fraction(int(top), int(low))), negative
    ), "fraction"


def _signed(value: str, negative: bool) -> str:
    return f"-{value}" if negative and value != "0" else value


def _decimal(digits: str) -> str:
    """Canonical form of digits with separators and perhaps a decimal point.

    It works on the text alone, because arithmetic with a million digits is slow.
    """
    whole, _, decimals = _SEPARATORS.sub("", digits).partition(".")
    whole, decimals = whole.lstrip("0") or "0", decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def fraction_text(value: Fraction) -> str:
    """Canonical form of an exact number."""
    if value.denominator == 1:
        return str(value.numerator)
    scaled = value * 10**MAX_DECIMALS
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = f"{abs(scaled.numerator):0{MAX_DECIMALS + 1}d}"
    return _signed(
        _decimal(f"{digits[:-MAX_DECIMALS]}.{digits[-MAX_DECIMALS:]}"), value < 0
    )


@cache
def in_words(words: str) -> str | None:
    """Canonical value of an English number in words; None for several numbers."""
    total = current = 0
    for word in re.split(r"[- ]", words):
        if word == "and":
            continue
        value = WORD_VALUES[word]
        if value >= 1000:
            total, current = total + max(current, 1) * value, 0
        elif value >= 100 or word == "dozen":
            current = max(current, 1) * value
        elif current % 100 and not (current % 10 == 0 and 0 < value < 10):
            return None  # "two three" is two numbers
        else:
            current += value
    return str(total + current)
