r"""Equations in a thought, and which of them are false, found by doing the arithmetic.

An equation is `a op b = c` in digits with + - * / and their other signs (x, \times,
\cdot, \div, and so on). The search works for the thoughts of any model. It does not
read units between the numbers, chains (`a + b + c = d`) or words, and it does not judge
what it cannot read. A result is right if it is rounded to the digits shown, or if it
follows from rounded decimals.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from doubletake.text.numerals import fraction_text, plain
from doubletake.text.sentences import Span

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
# These must not follow an equation: more of the number or of a sum, a letter (2C), a
# bracket, a per cent sign, a remainder, a fraction (3 1/3), a power.
_EQUATION = re.compile(
    rf"(?P<left>{_NUMBER})\s?(?P<sign>{_SIGN})\s?{_MONEY}(?P<right>{_NUMBER})"
    rf"\s?=\s?(?P<minus>-?){_MONEY}(?P<result>{_NUMBER})"
    r"(?![\w({\\^%]|[.,]\d|\.\.|\.\(|\s?\\?%|\s[\d^(]|\sR\s?\d"
    rf"|\s?(?:{_SIGN})\s?(?:[\d$({{\\]|[A-Za-z]\b))"
)
# These must not precede it: another operand or sign, a bracket, a letter that belongs
# to the number.
_PRECEDING = re.compile(
    r"(?:[\w.,)\]}%^]|[-+*/=\u00d7\u00f7\u00b7(\d)\]}%]\s?|\\(?:times|cdot|div)\s?|\bx\s)"
    r"\\?\$?\Z"
)
LOOK_BACK = 10  # characters before an equation that decide whether it begins there
# ASSUME: an operand with three or more decimals was rounded (chosen by hand).
ROUNDED_DECIMALS = 3


class Equation(NamedTuple):
    """An equation in a text; spans are characters of the text."""

    span: Span
    left: Span
    """The first operand, without its currency."""
    sign: str
    """One of `+ - * /`, however it is written."""
    right: Span
    result: Span
    """The result, without its sign and its currency."""
    task: tuple[Fraction, str, Fraction]
    """Operands and sign as numbers."""
    value: Fraction
    """The stated result."""
    right_value: Fraction
    """The result that the operands have."""
    is_true: bool
    """Whether the stated result is right, as it is rounded."""


class Slip(NamedTuple):
    """A false equation in a text."""

    start: int
    """First character of the equation in the text."""
    number_start: int
    """First character of the wrong number."""
    equation: str
    """The equation as written."""
    wrong: str
    """The number that it states, in canonical form."""
    right: str
    """The number that it should state, in canonical form."""


def equations_of(text: str) -> Iterator[Equation]:
    """The equations of a text that can be read, from left to right."""
    readable = plain(text)
    for match in _EQUATION.finditer(readable):
        start = match.start()
        if _PRECEDING.search(readable, max(0, start - LOOK_BACK), start):
            continue
        left, right, result = (
            _number(match[name]) for name in ("left", "right", "result")
        )
        sign = _SIGNS[match["sign"]]
        if sign == "/" and right == 0:
            continue
        result = -result if match["minus"] else result
        right_result = _result_of(left, sign, right)
        yield Equation(
            Span(*match.span()),
            Span(*match.span("left")),
            sign,
            Span(*match.span("right")),
            Span(*match.span("result")),
            (left, sign, right),
            result,
            right_result,
            _fits(result, right_result, match, sign),
        )


def slips_of(text: str) -> Iterator[Slip]:
    """The false equations of a text, from left to right."""
    for one in equations_of(text):
        if not one.is_true:
            yield Slip(
                one.span.start,
                one.result.start,
                text[slice(*one.span)],
                fraction_text(one.value),
                fraction_text(one.right_value),
            )


def first_slip(text: str) -> Slip | None:
    """The first false equation; None where every readable equation is true."""
    return next(slips_of(text), None)


def _number(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _result_of(left: Fraction, sign: str, right: Fraction) -> Fraction:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    return left * right if sign == "*" else left / right


def _fits(
    result: Fraction, right_result: Fraction, match: re.Match[str], sign: str
) -> bool:
    """Whether a stated result is the right one, rounded or cut off as written."""
    unit = Fraction(1, 10 ** _decimals(match["result"]))
    carried = _carried_error(match, sign)
    error = abs(right_result - result)
    if unit == 1:  # whole numbers are exact
        return error <= carried
    cut_off = 0 <= abs(right_result) - abs(result) < unit
    same_sign = right_result * result >= 0
    return (cut_off and same_sign) or error <= unit / 2 + carried


def _carried_error(match: re.Match[str], sign: str) -> Fraction:
    """The largest error of the result from rounded operands.

    An operand with `ROUNDED_DECIMALS` decimals or more is off by up to one unit of its
    last decimal.
    """
    carried = Fraction(0)
    left, right = _number(match["left"]), _number(match["right"])
    for operand, other in (("left", right), ("right", left)):
        decimals = _decimals(match[operand])
        if decimals < ROUNDED_DECIMALS:
            continue
        unit = Fraction(1, 10**decimals)
        if sign == "*":
            unit *= other
        elif sign == "/":
            unit *= 1 / right if operand == "left" else left / right**2
        carried += unit
    return carried


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])
