r"""Slips: the first false equation of a thought, found by doing the arithmetic.

An equation is `a op b = c` in digits with + - * / and their other signs (x, \times,
\cdot, \div, and so on). It works for any model's thoughts, but reads no units between
the numbers, no chains (`a + b + c = d`), no words; a result rounded to the digits shown
is right, and so is one from rounded decimals. What it cannot read it does not judge.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from doubletake.text.numerals import fraction_text, plain

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SIGNS = {
    "+": "+",
    "-": "-",
    "*": "*",
    "x": "*",
    "\u00d7": "*",
    "\u00b7": "*",
    "\\times": "*",
    "\\cdot": "*",
    "/": "/",
    "\u00f7": "/",
    "\\div": "/",
}
_SIGN = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_MONEY = r"(?:\\?\$)?"
# Behind it may not stand: more of the number or of a sum, a letter (2C), a bracket, a
# per cent sign, a remainder, a fraction (3 1/3), a power.
_EQUATION = re.compile(
    rf"(?P<left>{_NUMBER})\s?(?P<sign>{_SIGN})\s?{_MONEY}(?P<right>{_NUMBER})"
    rf"\s?=\s?(?P<minus>-?){_MONEY}(?P<result>{_NUMBER})"
    r"(?![\w({\\^%]|[.,]\d|\.\.|\.\(|\s?\\?%|\s[\d^(]|\sR\s?\d"
    rf"|\s?(?:{_SIGN})\s?(?:[\d$({{\\]|[A-Za-z]\b))"
)
# Before it: another operand or sign, a bracket, a letter that belongs to the number.
_CONTINUED = re.compile(
    r"(?:[\w.,)\]}%^]|[-+*/=\u00d7\u00f7\u00b7(\d)\]}%]\s?|\\(?:times|cdot|div)\s?|\bx\s)"
    r"\\?\$?\Z"
)
LOOK_BACK = 10  # characters before an equation that decide whether it begins there
ROUNDED = 3  # decimals from which an operand counts as rounded


class Slip(NamedTuple):
    """A false equation."""

    start: int
    """First character of the equation in the text."""
    number: int
    """First character of the wrong number."""
    equation: str
    """As written."""
    wrong: str
    """Canonical number that is stated."""
    right: str
    """Canonical number that should be."""


def slips(text: str) -> Iterator[Slip]:
    """The false equations of a text, from left to right."""
    readable = plain(text)
    for match in _EQUATION.finditer(readable):
        start = match.start()
        if _CONTINUED.search(readable, max(0, start - LOOK_BACK), start):
            continue
        left, right, result = (
            _value(match[name]) for name in ("left", "right", "result")
        )
        sign = _SIGNS[match["sign"]]
        if sign == "/" and right == 0:
            continue
        result = -result if match["minus"] else result
        true = _work_out(left, sign, right)
        if not _fits(result, true, match, sign):
            yield Slip(
                start,
                match.start("result"),
                text[start : match.end()],
                fraction_text(result),
                fraction_text(true),
            )


def first_slip(text: str) -> Slip | None:
    """The first false equation; None where all that can be read are true."""
    return next(slips(text), None)


def _value(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _work_out(left: Fraction, sign: str, right: Fraction) -> Fraction:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    return left * right if sign == "*" else left / right


def _fits(result: Fraction, true: Fraction, match: re.Match[str], sign: str) -> bool:
    """Whether a stated result is the true one, rounded or cut off as written."""
    unit = Fraction(1, 10 ** _decimals(match["result"]))
    carried = _carried(match, sign)
    if unit == 1:  # whole numbers are exact
        return abs(true - result) <= carried
    cut_off = 0 <= abs(true) - abs(result) < unit and true * result >= 0
    return cut_off or abs(true - result) <= unit / 2 + carried


def _carried(match: re.Match[str], sign: str) -> Fraction:
    """What operands of `ROUNDED` decimals or more may carry over: a unit each."""
    carried = Fraction(0)
    left, right = _value(match["left"]), _value(match["right"])
    for operand, other in (("left", right), ("right", left)):
        places = _decimals(match[operand])
        if places < ROUNDED:
            continue
        unit = Fraction(1, 10**places)
        if sign == "*":
            unit *= other
        elif sign == "/":
            unit *= 1 / right if operand == "left" else left / right**2
        carried += unit
    return carried


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])
