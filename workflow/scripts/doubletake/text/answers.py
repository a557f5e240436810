"""Final answers: their extraction, their canonical numbers and their equality."""

import re
import threading
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

from doubletake.running.errors import InputError
from doubletake.text.numerals import Numeral, fraction_text, numerals, plain

GOLD_MARK = "####"
# ASSUME: "Answer:" before a longer text is the heading of a whole solution.
HEADED_TEXT = 200  # characters

_MARKUP = re.compile(
    r"\\(?:text|textbf|mathrm|mathbf|boldsymbol|mbox)\s?(?=\{)|\\[()\[\]]|\\displaystyle"
    r"|\\left|\\right|\*\*|__|`"
)
_NO_CONTENT = re.compile(r"[\s{}$\u20ac\u00a3\u00a5%\\=:.()]*")
_MIXED = re.compile(r"(-?)\s*(\d{1,15})\s*\+?\s+(\d{1,15})/(\d{1,15})")
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+")
_ANSWER_IS = re.compile(
    r"\banswer\b(?:[ \t]+(?:to|for)\b[^.\n]{0,80}?)?"
    r"[ \t]*(?:is|was|=|:|would be|should be|must be|\*\*:?|comes to)",
    re.IGNORECASE,
)
_UNIT_TEXT = re.compile(
    r"\\(?:text|textbf|mathrm|mbox)\s?\{[^{}]*\}|\^\{?\s?\\circ\s?\}?", re.IGNORECASE
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")


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


def number_text(text: str) -> str | None:
    """Like `canonical`, but None where the text is not one number."""
    cleaned = _MARKUP.sub("", plain(text)).strip()
    mixed = _MIXED.fullmatch(cleaned)
    if mixed and int(mixed[4]):
        value = int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4]))
        return fraction_text(-value if mixed[1] else value)
    if _SPACED.fullmatch(cleaned):
        cleaned = cleaned.replace(" ", "")
    numbers = _first_numbers(cleaned, 2)
    if len(numbers) != 1:
        return None
    around = cleaned[: numbers[0].start] + cleaned[numbers[0].end :]
    return numbers[0].value if _NO_CONTENT.fullmatch(around) else None


def gold_of(answer: str) -> str:
    """Canonical number after GSM8K's `####`.

    Raises:
        InputError: the text has no `####`, or there is no number after it.
    """
    _, mark, last = answer.rpartition(GOLD_MARK)
    if not mark:
        raise InputError(f"no {GOLD_MARK} in the reference answer {answer[-80:]!r}")
    return canonical(last)


def final_answer(text: str) -> str | None:
    r"""The answer in a text that follows the thought.

    It is the content of the last `\boxed{...}`, else the number after the last "answer
    is", else the last number. A number is returned in canonical form. A box that holds
    more or less than one number is returned as it is.
    """
    boxed = last_boxed(text)
    if boxed is not None and boxed.strip():
        return _single_number(boxed) or boxed.strip()
    for mark in reversed(list(_ANSWER_IS.finditer(text))):
        if mark.group().endswith((":", "*")) and len(text) - mark.end() > HEADED_TEXT:
            continue
        value = _stated(text[mark.end() : mark.end() + 300])
        if value is not None:
            return value
    _, mark_found, last = text.rpartition(GOLD_MARK)
    numbers = list(numerals(last if mark_found else text))
    # ASSUME: a number in digits is the answer rather than a number in words.
    digits = [item for item in numbers if item.written != "words"]
    return (digits or numbers)[-1].value if numbers else None


def last_boxed(text: str) -> str | None:
    r"""Content of the last `\boxed{...}`, with balanced braces.

    A box that is never closed goes up to the end of its line. Only the last box is
    read, so the time is linear in the text.
    """
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    start += len("\\boxed{")
    depth = 1
    for match in re.finditer(r"\\.|[{}]", text[start:], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if not depth:
            return text[start : start + match.start()]
    return text[start:].split("\n", 1)[0]


def same_value(
    a: str,
    b: str,
    *,
    notations: Sequence[str] = ("latex", "expr"),
    precision: int = 6,
    strict: bool = True,
    sets_as_relations: bool = False,
) -> bool:
    """Whether two answers have the same value.

    Two numbers are compared exactly. A fraction without a short decimal form, such as
    "1/3", is compared after rounding. math-verify decides where one answer is not a
    number (but a set, an expression or a text).

    Args:
        a: the reference.
        b: the other answer.
        notations: that math-verify reads.
        precision: decimals to compare.
        strict: whether variables must have the same names (math-verify).
        sets_as_relations: whether `x = 1` may answer a set (math-verify).
    """
    left, right = number_text(a), number_text(b)
    if left is not None and right is not None:
        return left == right or _equal_when_rounded(left, right, precision)
    if not a.strip() or not b.strip():
        return False
    return _equivalent(a, b, notations, precision, strict, sets_as_relations)


def _equal_when_rounded(a: str, b: str, precision: int) -> bool:
    """Whether one is a fraction like "1/3" and the other its decimal form."""
    if "/" not in a + b or ":" in a + b:
        return False
    return round(Fraction(a), precision) == round(Fraction(b), precision)


def _equivalent(
    a: str,
    b: str,
    notations: Sequence[str],
    precision: int,
    strict: bool,
    sets_as_relations: bool,
) -> bool:
    """The verdict of math-verify, which is imported here because its import is slow."""
    from math_verify import (
        ExprExtractionConfig,
        LatexExtractionConfig,
        StringExtractionConfig,
        parse,
        verify,
    )

    known = {
        "latex": LatexExtractionConfig(boxed_match_priority=0),
        "expr": ExprExtractionConfig(),
        "string": StringExtractionConfig(),
    }
    targets = [known[name] for name in notations]
    # math-verify limits its time by signals, which only the main thread can set.
    limit = 5 if threading.current_thread() is threading.main_thread() else None
    return bool(
        verify(
            parse(a, targets, parsing_timeout=limit),
            parse(b, targets, parsing_timeout=limit),
            float_rounding=precision,
            strict=strict,
            allow_set_relation_comp=sets_as_relations,
            timeout_seconds=limit,
        )
    )


def _first_numbers(text: str, limit: int) -> list[Numeral]:
    """The first numbers of a text, at most `limit`."""
    return list(islice(numerals(text), limit))


def _single_number(text: str) -> str | None:
    """Canonical form if the text holds exactly one number, with units allowed."""
    value = number_text(text)
    if value is not None:
        return value
    numbers = [item for item in numerals(text) if item.written != "words"]
    if len(numbers) != 1:
        return None
    around = _UNIT_TEXT.sub("", text[: numbers[0].start] + text[numbers[0].end :])
    # ASSUME: a letter right after the number is algebra ("2p"), not a unit.
    touching = text[numbers[0].end : numbers[0].end + 1]
    return (
        None
        if re.search(r"[\^_=<>+*/]", around) or touching.isalpha()
        else numbers[0].value
    )


def _stated(text: str) -> str | None:
    """The first number of a text after "answer is"; a bold number comes first."""
    line = text.lstrip().split("\n", 1)[0]
    bold = [_single_number(match[1]) for match in _BOLD.finditer(line)]
    bold = [value for value in bold if value is not None]
    if bold:
        return bold[0]
    return next((item.value for item in numerals(line)), None)
