r"""Reference answers: a number, a letter of a choice, or an expression.

A reference answer stands after `####` (GSM8K), in a `\boxed{...}` (MATH), or is the
whole text (MATH-500, SVAMP, MGSM, GSM-Plus).
"""

import re

from doubletake.running.errors import InputError
from doubletake.text.answers import (
    GOLD_MARK,
    UNIT_TEXT,
    boxes_of_last_sentence,
    last_boxes,
    number_text,
)
from doubletake.text.decimal_marks import COMMA, decimal_mark
from doubletake.text.equality import is_expression
from doubletake.text.numerals import plain

NUMBER, CHOICE, EXPRESSION = "number", "choice", "expression"
LONGEST_GOLD = 200  # characters
MOST_BOXES = 8

_CHOICE = re.compile(r"\(?([A-J])\)?\.?")
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s?\{([^{}]*)\}")
_DOLLARS = re.compile(r"\$(.*)\$|\\\((.*)\\\)|\\\[(.*)\\\]", re.DOTALL)
_TWO_READINGS = re.compile(r"-?\d+,\d{1,2}|-?\d+,\d{4,}|-?0,\d+")
_THREE_DIGITS = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}")
# An expression has a sign of mathematics, and no word outside of a command.
_MATHEMATICS = re.compile(r"\\[A-Za-z]+|[a-zA-Z]|[\^_]|[(\[]\s*-?\d.*,|-?\d+,-\d")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_FUNCTIONS = frozenset(str.split("sin cos tan cot sec csc log ln exp sqrt pi"))
_REMEDY = (
    "a reference answer is a number, a letter of a choice (A to J) or an expression in "
    "LaTeX"
)


def gold_of(text: str, question: str = "") -> str:
    r"""The reference answer in canonical form.

    A number is in the form of `canonical`, a choice is its capital letter, and an
    expression is LaTeX without `$`.

    Args:
        text: of the column with the reference answer.
        question: shows whether a comma stands before decimals.

    Raises:
        InputError: the text holds no such answer, or may be read in two ways; the
            message tells the way out.
    """
    _, mark, last = text.rpartition(GOLD_MARK)
    boxed = last_boxes(last, MOST_BOXES)
    boxed = boxes_of_last_sentence(last, boxed) if boxed else []
    written = ", ".join(dict.fromkeys(box.content.strip() for box in boxed))
    written = written if boxed else last.strip()
    dollars = _DOLLARS.fullmatch(written)
    if dollars and "$" not in (inner := next(filter(None, dollars.groups()), "")):
        written = inner.strip()
    if not written:
        raise InputError(f"the reference answer {text[-80:]!r} is empty; {_REMEDY}")
    _refuse_two_readings(written, question)
    value = number_text(UNIT_TEXT.sub(" ", written), decimal_mark(question)) or (
        number_text(written)
    )
    if value is not None:
        return value
    choice = _CHOICE.fullmatch(_TEXT.sub(r"\1", written).strip())
    if choice:
        return choice[1]
    if _may_be_expression(written) and is_expression(written):
        return re.sub(r"\s+", " ", written)
    where = f" (no {GOLD_MARK}, no \\boxed)" if not mark and not boxed else ""
    raise InputError(f"not a number: {written[:80]!r}{where}; {_REMEDY}")


def kind_of(gold: str) -> str:
    """`number`, `choice` or `expression`: what a canonical reference answer is."""
    if number_text(gold) is not None:
        return NUMBER
    return CHOICE if _CHOICE.fullmatch(gold) else EXPRESSION


def _refuse_two_readings(written: str, question: str) -> None:
    """Refuse "3,5" and, under a question with decimal commas, "1.250" and "1,250"."""
    comma = decimal_mark(question) == COMMA
    number = plain(written).strip("$ ")
    if comma and _THREE_DIGITS.fullmatch(number):
        raise InputError(
            f"the reference answer {written!r} has two readings, because the question "
            "writes decimals with a comma; write it without separator of thousands, or "
            "as a JSON number"
        )
    if not comma and _TWO_READINGS.fullmatch(number):
        point = number.replace(",", ".")
        raise InputError(
            f"the reference answer {written!r} has two readings; write {point!r} for "
            f"one number, or '({number})' for two"
        )


def _may_be_expression(written: str) -> bool:
    """Whether a text looks like mathematics rather than prose, a range or a guess."""
    if len(written) > LONGEST_GOLD or "~" in written or "?" in written:
        return False
    bare = _TEXT.sub("", written)
    if bare.strip() != written and not bare.strip(" ."):
        return True  # a text as LaTeX: \\text{ellipse}
    words = {word for word in _WORD.findall(bare) if word.lower() not in _FUNCTIONS}
    return bool(_MATHEMATICS.search(bare)) and not words
