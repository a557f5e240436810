r"""Numbers in a text: their characters and their canonical form.

A number is read whole or not at all: "1.2.3" and "1/0" hold none. Read are digits with
separators of thousands (1,200; 1.200,50; 1 200; 1,00,000; 1'200; 1{,}200), decimals
(.5; 3,5), signs, fractions (3/4, 2 1/2, \frac34, 3½), powers of ten (1.5e6, 2 \times
10^3), times (7:30), numbers in English words and in Chinese numerals. `decimal_marks`
tells whether a comma stands before decimals.

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

from doubletake.text.decimal_marks import COMMA, POINT
from doubletake.text.number_words import (
    CHINESE_SCALES,
    HALF,
    SCALES,
    chinese_numbers,
    english_numbers,
    half_of,
)

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
        elif char == "\N{ARABIC THOUSANDS SEPARATOR}":
            char = ","
        elif char == "\N{ARABIC DECIMAL SEPARATOR}":
            char = "."
        self[code] = char
        return char


_NARROW_SPACES = "\u00a0\u2009\u202f"
_PLAIN = _SameLength({ord(space): "\u202f" for space in _NARROW_SPACES})


def plain(text: str) -> str:
    """The text with ASCII digits, minus signs and spaces; its length stays the same."""
    return text if text.isascii() else text.translate(_PLAIN)


_VULGAR = "\u00bc-\u00be\u2150-\u215e\u2189"
_RAISED = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079"
_LOWERED = "\u2080-\u2089"
_TO_DIGITS = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
    "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089",
    "0123456789-0123456789",
)
_FINE = r"(?:\ ?\{,\ ?\}|\{\\,\}|,?\\[,;:!](?:\ (?=\d))?|\\\ |~|\u202f|'|_)"
_COMMA = r"(?:,(?:\\!)?|\{,\})"
_GROUP = rf"(?:,|{_FINE})\d{{3}}(?!\d)"
_SHORT = rf"\d{{1,{MAX_FRACTION_DIGITS}}}+"
_COUNT = r"(?:[1-9]\d{0,2}(?:,\d{3})++|\d{1,9}+)"  # the whole part of a mixed number
_TOP, _LOW = (
    rf"\s?(?:\{{\s?(?P<{name}_sign>-?)(?P<{name}>{_SHORT})\s?\}}|(?P<{name}1>\d))"
    for name in ("top", "low")
)
_WHOLE_END = r"(?![.,'_~]?\d|\ ?\{,\ ?\}\d|/\d++/\d|[\u00b9\u00b2\u00b3\u2070-\u2079])"
_NOT_DIGITS = re.compile(r"\D")
_TEN_TO_THE = rf"""
    (?:\ ?(?:\\times|\\cdot|[x*\u00d7\u00b7])\ ?10
        (?:\^\ ?\{{?\ ?(?P<power>-?\d{{1,3}}+)\ ?\}}?
        |(?P<raised>\u207b?[{_RAISED}]{{1,3}}+))
    |[eE](?P<exponent>[+-]?\d{{1,3}}+)(?!\w))
"""
# "3千" is 3000, but "3千克" is 3 kilograms.
_SCALE = (
    rf"\ ?(?:(?P<scale>(?i:{'|'.join(SCALES)}))s?\b"
    rf"|(?P<han>[\u4e07\u842c\u4ebf\u5104]|\u5343(?![\u514b\u7c73\u74e6\u5361])|\u767e(?!\u5206)))"
)


@cache
def _in_digits_of(mark: str | None) -> re.Pattern[str]:
    """Numbers in digits, where `mark` stands before decimals.

    Every quantifier is bounded or possessive, so the time is linear in the text.
    """
    after_comma = {
        POINT: r"(?!)",
        COMMA: r"\d++,\d++",
        None: r"\d++,(?:\d{1,2}|\d{4,}+)|0,\d++",
    }[mark]
    dots = r"[1-9]\d{0,2}\.\d{3}" if mark == COMMA else r"(?!)"
    return re.compile(
        rf"""
          (?:(?P<whole>{_COUNT})(?:\ |\\[,;:\ ]|\u202f)?)?
          \\[dtcs]?frac{_TOP}{_LOW}(?!\d)
        | (?P<time>(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?![\d:])
        | (?:(?P<ones>{_COUNT})[\ \u202f]?)?(?P<vulgar>[{_VULGAR}])
        | (?:(?P<some>{_COUNT}))?
          (?P<up>[{_RAISED}]{{1,9}}+)/(?P<down>[{_LOWERED}]{{1,9}}+)
        | (?:(?P<units>{_COUNT})(?:\ and\ |[\ \u202f]))?(?<![/.])
          (?P<over>{_SHORT})/(?P<under>{_SHORT})(?![\d/.]*\d)
        | (?:
            (?P<comma>
                (?:[1-9]\d{{0,2}}(?:(?:[.\ ~'\u202f]|\\[,;:\ ])\d{{3}})++,\d++
                |(?:{after_comma}|\d++\{{,\}}(?:\d{{1,2}}|\d{{4,}}+)))(?!\d)
            )
            |(?P<dots>(?:[1-9]\d{{0,2}}(?:\.\d{{3}}){{2,}}+|{dots})(?!\d))
            |(?P<point>
                [1-9]\d{{0,2}}(?=(?:\ \d{{3}}(?!\d))*?\ 0\d\d(?!\d))
                    (?:\ \d{{3}})++(?:\.\d++)?
                |\d{{1,2}}(?:{_COMMA}\d{{2}}(?!\d))++{_COMMA}\d{{3}}(?:\.\d++)?
                |[1-9]\d{{0,2}}(?:{_GROUP})++(?:\.\d++)?
                |\d++(?:\.\d++)?
                |\.\d++
            )
          ){_WHOLE_END}(?:{_TEN_TO_THE}|{HALF.replace(" ", "[ ]")}|{_SCALE})?
        """,
        re.VERBOSE,
    )


_DIGIT = re.compile(rf"\d|\\[dtcs]?frac|[{_VULGAR}{_RAISED}]")
_UNREAD = re.compile(r"\d++(?:(?:[.,'_~/]|\{,\})\d++)*+|\\[dtcs]?frac\s?\d++")
_SIGN = re.compile(r"(?<![\w)\]}])(?<![\d)\]}] )-(?:\\?\$)?\Z")
_SIGN_WORD = re.compile(
    r"(?:\b(?P<negative>negative)"
    r"|(?:\A|(?:[=:(]|\b(?:is|was|be|equals?|to|of)\b)\s?)(?P<minus>minus))"
    r"\s(?:\\?\$)?\Z",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(r"(?<![\\A-Za-z])([A-Za-z]+)\Z")
_RAISED_BEFORE = re.compile(r"[A-Za-z0-9})][\^_]\{?\s?-?\Z")
# ASSUME: letters that touch a number belong to a name (x1, H2O), except these.
_CURRENCIES = frozenset(
    str.split("RM RS USD EUR GBP INR US R HK RMB CHF RP CAD AUD JPY KRW")
)
# ASSUME: "1 200" is one number after these signs and words, or if a group begins with
# 0. Otherwise it is two numbers.
_STATES = re.compile(
    r"(?:=|\banswer(?: is|:)|\btotal is|[$\u20ac\u00a3\u20b9{])\s?\\?\$?\Z"
)
_SPACED = re.compile(r"[1-9]\d{0,2}(?: \d{3})++(?:\.\d++)?(?![.,]?\d| \d)")
_PAIRS = ("()", "[]", "[)", "(]")


def numerals(text: str, mark: str | None = None) -> Iterator[Numeral]:
    """All numbers of a text, from left to right, without overlap.

    Args:
        text: any text.
        mark: the sign before decimals (`decimal_mark`); None: not known. "3,5" is then
            3.5, and "1,250" is 1250.
    """
    text = plain(text)
    end = 0
    for numeral in sorted([*_in_digits(text, mark), *_words(text)]):
        if numeral.start >= end:
            end = numeral.end
            yield numeral


def _in_digits(text: str, mark: str | None) -> Iterator[Numeral]:
    """Numbers written in digits."""
    pattern = _in_digits_of(mark)
    position = 0
    while found := _DIGIT.search(text, position):
        start = found.start()
        if start > position and _begins_with_point(text, start):
            start -= 1
        match = pattern.match(text, start)
        if match is None or _is_named(text, start) or _is_pair(text, match):
            unread = _UNREAD.match(text, found.start())
            position = unread.end() if unread else found.end()
            continue
        begin, negative = _sign_of(text, start)
        spaced = _spaced(text, start)
        value: tuple[str, str] | None
        if spaced is None:
            position, value = match.end(), _read(match, negative)
        else:
            position = spaced.end()
            value = _signed(_decimal(spaced.group()), negative), "digits"
        if value is not None:
            yield Numeral(begin, position, *value)


def _begins_with_point(text: str, start: int) -> bool:
    """Whether a point before a digit belongs to the number: "-.5", but not "fig.5"."""
    if text[start - 1] != "." or not text[start].isdigit():
        return False
    before = text[start - 2 : start - 1] if start > 1 else ""
    return not before or not (before.isalnum() or before in ".)]}'\"*_")


def _spaced(text: str, start: int) -> re.Match[str] | None:
    """A number whose thousands are separated by plain spaces, where one must stand."""
    match = _SPACED.match(text, start)
    return match if match and _STATES.search(text, max(0, start - 16), start) else None


def _is_named(text: str, start: int) -> bool:
    """Whether the digits belong to a name or are an exponent: x1, H2O, a_1, cm^2."""
    before = text[start - 1 : start] if start else ""
    if not (before.isalpha() or before in tuple("^_{- ")):
        return False
    if _RAISED_BEFORE.search(text, max(0, start - 5), start):
        return True
    name = _NAME_BEFORE.search(text, max(0, start - 16), start)
    if name is None:
        return False
    factor = text[max(0, name.start() - 4) : name.start()].rstrip(" $)")
    product = name[1] in ("x", "X") and factor[-1:].isdigit()
    return not product and name[1].upper() not in _CURRENCIES


def _is_pair(text: str, match: re.Match[str]) -> bool:
    """Whether "3,5" stands in brackets of its own: these are two numbers."""
    start, end = match.span()
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return bool(match["comma"]) and "." not in match["comma"] and around in _PAIRS


def _sign_of(text: str, start: int) -> tuple[int, bool]:
    """Where the number begins with its sign, and whether it is negative."""
    before = text[max(0, start - 4) : start]
    sign = _SIGN.search(text, max(0, start - 4), start) if "-" in before else None
    if sign:
        return sign.start(), True
    if text[max(0, start - 5) : start].rstrip("\\$ ")[-1:].lower() not in ("s", "e"):
        return start, False  # neither "minus" nor "negative"
    word = _SIGN_WORD.search(text, max(0, start - 24), start)
    return (word.start(word.lastgroup or 0), True) if word else (start, False)


def _words(text: str) -> Iterator[Numeral]:
    """Numbers written in words."""
    lower = text.lower()
    if len(lower) != len(
        text
    ):  # some capital letters have small forms of two characters
        lower = "".join(char.lower()[:1] for char in text)
    for start, end, value in english_numbers(lower):
        if value is not None:
            begin, negative = _sign_of(text, start)
            yield Numeral(
                begin, end, fraction_text(-value if negative else value), "words"
            )
    if not text.isascii():
        for start, end, value in chinese_numbers(text):
            yield Numeral(start, end, fraction_text(value), "words")


def _read(match: re.Match[str], negative: bool) -> tuple[str, str] | None:
    """Canonical value of one number in digits, and the way it is written."""
    written = next((name for name in ("comma", "dots", "point") if match[name]), None)
    if written is not None:
        return _signed(_scaled(_decimal(match[written], written), match), negative), (
            "digits"
        )
    if match["time"] is not None:
        hour, minutes = match["time"].split(":", 1)
        hour = hour.lstrip("0") or "0"
        return (hour if minutes == "00" else f"{hour}:{minutes}"), "time"
    parts = [match[name] for name in ("whole", "ones", "some", "units")]
    whole = int(next(filter(None, parts), "0").replace(",", ""))
    part = _part(match)
    if part is None or (whole and not 0 < part < 1):
        return None
    return fraction_text(-(whole + part) if negative else whole + part), "fraction"


def _part(match: re.Match[str]) -> Fraction | None:
    """A fraction without the whole part of a mixed number; None if it has no value."""
    if match["vulgar"]:
        return Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(100)
    top = match["top"] or match["top1"] or match["over"] or match["up"]
    low = match["low"] or match["low1"] or match["under"] or match["down"]
    top, low = (int(text.translate(_TO_DIGITS)) for text in (top, low))
    value = Fraction(top, low) if low else None
    minus = bool(match["top_sign"]) != bool(match["low_sign"])
    return -value if value is not None and minus else value


def _scaled(value: str, match: re.Match[str]) -> str:
    """A number times what stands behind it: a power of ten, "million", "and a half"."""
    power = match["power"] or match["exponent"] or match["raised"]
    if len(value) > MAX_FRACTION_DIGITS:
        return value
    if power:
        power = int(power.translate(_TO_DIGITS))
        return fraction_text(Fraction(value) * Fraction(10) ** power)
    if match["half"]:
        return fraction_text(Fraction(value) + half_of(match["half"]))
    if match["scale"] or match["han"]:
        scales = SCALES if match["scale"] else CHINESE_SCALES
        return fraction_text(
            Fraction(value) * scales[(match["scale"] or match["han"]).lower()]
        )
    return value


def _signed(value: str, negative: bool) -> str:
    return f"-{value}" if negative and value != "0" else value


def _decimal(digits: str, written: str = "point") -> str:
    """Canonical form of digits with separators and perhaps decimals.

    It works on the text alone, because arithmetic with a million digits is slow.

    Args:
        digits: as they are written.
        written: the sign before decimals: `point`, `comma`, or `dots` (there are none).
    """
    if written == "comma":
        whole, _, decimals = digits.rpartition(",")
    elif written == "point":
        whole, _, decimals = digits.partition(".")
    else:
        whole, decimals = digits, ""
    whole, decimals = (_NOT_DIGITS.sub("", part) for part in (whole, decimals))
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
