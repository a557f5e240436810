"""One number in a text: its canonical form, in prose, in LaTeX and in boxes."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from doubletake.running.errors import InputError
from doubletake.text.numerals import fraction_text, numerals, plain

GOLD_MARK = "####"

_MARKUP = re.compile(
    r"\\(?:text|textbf|textnormal|mathrm|mathbf|boldsymbol|mbox)\s?(?=\{)|\\[()\[\]]"
    r"|\\displaystyle|\\left|\\right|\*\*|__|`"
)
_MARKUP_ONLY = re.compile(r"\\[()\[\]]|\\displaystyle|\*\*|__|`|\\left|\\right")
_BOX = re.compile(r"\\(?:boxed|fbox)\s?(?:\{|(?P<digits>\d++(?!\w)))")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_NO_CONTENT = re.compile(
    r"(?:[\s{}$\u20ac\u00a3\u00a5\u20b9\u00b0%\\=:.()\u202f\u3002\uff05]|\\[,;:!]"
    r"|\^\{?\s?\\circ\s?\}?)*"
)
_MIXED = re.compile(r"(-?)\s*(\d{1,15})\s*\+?\s+(\d{1,15})/(\d{1,15})")
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+")
_SIGN_APART = re.compile(r"\A([-+])\s*(?=[\d.$\\\u20ac\u00a3])")

UNIT_TEXT = re.compile(
    r"\\(?:text|textbf|textnormal|mathrm|mbox|operatorname)\s?\{[^{}\d]*\}"
    r"(?:\s?\^\s?\{?\s?[23]\s?\}?)?|\^\{?\s?\\circ\s?\}?"
)
"""A unit in LaTeX, with its power."""
_UNIT_POWER = re.compile(r"(?<=[A-Za-z])(?:\s?\^\s?\{?[23]\}?|[\u00b2\u00b3])")
# ASSUME: another letter that touches a number is algebra ("2p"), not a unit.
UNITS = frozenset(
    str.split(
        "m g s h l cm mm km dm ft in yd mi kg mg lb lbs oz ml cl hr hrs min mins sec "
        "secs ms pm am mph kph kmh kwh kw hours minutes days weeks years meters metres "
        "dollars cents usd eur rs st nd rd th pct percent"
    )
)
_COMMAND = (
    r"\\(?!(?:text[a-z]*|math(?:rm|bf)|mbox|operatorname|q?quad|circ|left|right|boxed"
    r"|approx|displaystyle)(?![a-z]))[a-z]+"
)
# A sign, a ratio or a function beside a number: the number is a part of an expression.
_GOES_ON = re.compile(
    rf"[\s$)}}]*(?:[+*\u00d7\u00f7\u00b7^\u221a\u03c0\u221e\u00b1<>=]|-\s?[\d$(\\]"
    rf"|/\s?[\d(\\]|:\d|[\u00b2\u00b3\u00b9]|{_COMMAND}"
    r"|(?:-|\bor\b|\bto\b|\u2013)\s*[$\u20ac\u00a3]?\d)"
)
_LEADS_IN = re.compile(
    rf"(?:[+*/\u00d7\u00f7\u00b7^\u221a\u00b1<>]|{_COMMAND}|[\w)]\s?-|\bor|\bbetween|:|\}}\s?\{{)"
    r"[\s${(]*\Z"
)
_RATIO_BEFORE = re.compile(r"\d\s?:\s?\Z")
_EQUALS = re.compile(r"(?<![<>!=])=(?!=)|\\(?:implies|Rightarrow)(?![a-z])")
_ABOUT = re.compile(r"\u2248|\\approx(?![a-z])")
_SEVERAL = re.compile(
    r"[,;]\s|,\\|\band\b|\bor\b|\\q?quad|\\text\s?\{\s?(?:and|or)\b|;"
)


def canonical(text: str) -> str:
    """Canonical form of a text that is one number.

    Separators of thousands, currency, percent signs, LaTeX and markup are removed:
    `canonical("$1,200.00")` is "1200", `canonical("25%")` is "25", `canonical("-3/6")`
    is "-0.5".

    Raises:
        InputError: the text is not one number.
    """
    value = number_text(text)
    if value is None:
        raise InputError(f"not a number: {text[:80]!r}")
    return value


def number_text(text: str, mark: str | None = None) -> str | None:
    """Like `canonical`, but None where the text is not one number.

    Args:
        text: that may be one number.
        mark: the sign before decimals (`decimal_mark`); None: not known.
    """
    cleaned = _MARKUP.sub("", plain(text)).strip()
    mixed = _MIXED.fullmatch(cleaned)
    if mixed and int(mixed[4]):
        value = int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4]))
        return fraction_text(-value if mixed[1] else value)
    if _SPACED.fullmatch(cleaned):
        cleaned = cleaned.replace(" ", "")
    cleaned = _SIGN_APART.sub(lambda sign: sign[1].replace("+", ""), cleaned)
    numbers = list(islice(numerals(cleaned, mark), 2))
    if len(numbers) != 1:
        return None
    around = cleaned[: numbers[0].start] + cleaned[numbers[0].end :]
    return numbers[0].value if _NO_CONTENT.fullmatch(around) else None


def single_number(text: str, mark: str | None = None) -> str | None:
    r"""Canonical form of the one number that a text gives, with its unit.

    It is the side of an equation that is a number: 5 in "3 + 2 = 5" and in "x = 5". The
    text gives no number where the number is a part of an expression (`9\pi`, "2p"),
    a ratio or a range, or where there are several.
    """
    value = number_text(text, mark)
    if value is not None:
        return value
    text = _ABOUT.split(_MARKUP_ONLY.sub("", plain(text)))[0]
    sides = _EQUALS.split(text)
    if len(sides) > 1:
        if any(_SEVERAL.search(side) for side in sides):
            return None
        # The last side, or the first where only it is a number: 5 = 3 + 2.
        for side in (sides[-1], sides[0]):
            value = _one_with_unit(side, mark)
            if value is not None:
                return value
        return None
    return _one_with_unit(text, mark)


def _one_with_unit(text: str, mark: str | None) -> str | None:
    """Canonical form of the only number of a text, with words around it."""
    body = _MARKUP.sub("", _UNIT_POWER.sub("", UNIT_TEXT.sub(" ", text)))
    value = number_text(body, mark)
    if value is not None:
        return value
    numbers = list(islice(numerals(body, mark), 32))
    in_digits = [item for item in numbers if item.written != "words"]
    if len(in_digits or numbers) != 1:
        return None
    item = (in_digits or numbers)[0]
    if any(char.isdigit() for char in body[: item.start] + body[item.end :]):
        return None
    return item.value if stands_alone(body[: item.start], body[item.end :]) else None


def stands_alone(before: str, after: str, *, prose: bool = False) -> bool:
    """Whether a number between two texts is not a part of an expression.

    Args:
        before: the text before the number.
        after: the text after it.
        prose: whether "!" ends a sentence, instead of being a factorial.
    """
    spacing = re.sub(r"\\[,;:! %$]|~|\*\*|\\[)\]]", " ", after[:80])
    lead = re.sub(r"\\[,;:! $(\[]|~|\*\*|\\boxed\s?\{|\\text\s?\{", " ", before[-40:])
    if _GOES_ON.match(spacing) or (not prose and spacing.startswith("!")):
        return False
    if re.search(r":[\s${(]*\Z", lead):
        return not _RATIO_BEFORE.search(lead)
    if _LEADS_IN.search(lead):
        return False
    letters = re.match(r"[A-Za-z]+", after)
    return letters is None or letters.group().lower() in UNITS


def last_boxed(text: str) -> str | None:
    r"""Content of the last `\boxed{...}`, with balanced braces.

    A box that is never closed goes up to the end of its line.
    """
    found = last_boxes(text, 1)
    return found[0].content if found else None


class Box(NamedTuple):
    r"""A `\boxed{...}` of a text."""

    start: int
    end: int
    content: str


def last_boxes(text: str, most: int) -> list[Box]:
    """The last boxes of a text, in order; `most` bounds the time."""
    starts = [match.start() for match in _BOX.finditer(text)][-most:]
    return [_box_at(text, start) for start in starts]


def boxes_of_last_sentence(text: str, found: Sequence[Box]) -> list[Box]:
    """The last boxes of a text between which no sentence ends."""
    together = [found[-1]]
    for box in reversed(found[:-1]):
        between = text[box.end : together[0].start]
        if "\n\n" in between or re.search(r"[.!?]\s", between):
            break
        together.insert(0, box)
    return together


def _box_at(text: str, start: int) -> Box:
    """The box that begins at a character."""
    match = _BOX.match(text, start)
    if match is None:
        raise ValueError(f"no box at {start}")
    inner = match.end()
    if match["digits"]:
        return Box(start, inner, match["digits"])
    depth = 1
    for brace in _BRACE.finditer(text, inner):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if not depth:
            return Box(start, brace.end(), text[inner : brace.start()])
    line = text[inner:].split("\n", 1)[0]
    return Box(start, inner + len(line), line)
