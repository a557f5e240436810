"""Whether two answers have the same value."""

import re
import threading
from collections.abc import Sequence
from fractions import Fraction

from doubletake.text.answers import number_text

_LONGEST = 400  # characters; math-verify compares no longer expression
# ASSUME: no answer needs such a power; its digits would fill the memory.
_HUGE = re.compile(
    r"(?:\^|\*\*)\s?\{?\s?-?\d{4,}|\d{4,}\s?!|(?:\^\s?\{?\s?\d+\s?\}?\s?){2}"
)


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


def same_expression(a: str, b: str) -> bool:
    """Whether two expressions in LaTeX, without `$`, have the same value.

    Texts that are equal but for spaces are the same. math-verify decides on others;
    expressions that would take it too long are never the same.
    """
    if bare(a) == bare(b):
        return True
    if max(len(a), len(b)) > _LONGEST or _HUGE.search(a) or _HUGE.search(b):
        return False
    return _equivalent(f"${a}$", f"${b}$", ("latex",), 6, True, False)


def bare(text: str) -> str:
    r"""A text without spaces, braces and commands that only set it (`\text`)."""
    return re.sub(
        r"\s|\\(?:text|textbf|mathrm|mbox|left|right)(?![a-z])|[{}]", "", text
    )


def is_expression(text: str) -> bool:
    """Whether math-verify reads a value in a LaTeX text without `$`."""
    from math_verify import LatexExtractionConfig, parse

    if len(text) > _LONGEST or _HUGE.search(text):
        return False
    found = parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=_limit())
    return any(not isinstance(item, str) for item in found)


def _equal_when_rounded(a: str, b: str, precision: int) -> bool:
    """Whether one is a fraction like "1/3" and the other its decimal form."""
    if "/" not in a + b or ":" in a + b:
        return False
    return round(Fraction(a), precision) == round(Fraction(b), precision)


def _limit() -> int | None:
    """Seconds for one call of math-verify.

    It limits its time by signals, which only the main thread can set.
    """
    return 5 if threading.current_thread() is threading.main_thread() else None


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
    return bool(
        verify(
            parse(a, targets, parsing_timeout=_limit()),
            parse(b, targets, parsing_timeout=_limit()),
            float_rounding=precision,
            strict=strict,
            allow_set_relation_comp=sets_as_relations,
            timeout_seconds=_limit(),
        )
    )
