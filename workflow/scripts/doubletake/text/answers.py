"""Final answers: canonical numbers, the gold number, extraction and equality."""

import re
import threading
from collections.abc import Sequence
from fractions import Fraction

from doubletake.running.errors import InputError
from doubletake.text.numerals import Numeral, fraction_text, numerals, plain

GOLD_MARK = "####"
HEADING = 200  # characters after "Answer:" from which on it is no statement

_MARKUP = re.compile(
    r"\\(?:text|textbf|mathrm|mathbf|boldsymbol|mbox)\s?(?=\{)|\\[()\[\]]|\\displaystyle"
    r"|\\left|\\right|\*\*|__|`"
)
_BARE = re.compile(r"[\s{}$\u20ac\u00a3\u00a5%\\=:.()]*")
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
    """Canonical form of the number that `text` is.

    Signs of thousands, currency, percent, LaTeX and surrounding markup fall away:
    `canonical("$1,200.00")` is "1200", `canonical("25%")` is "25", `canonical("-3/6")`
    is "-0.5".

    Raises:
        InputError: `text` is not one number.
    """
    value = number_text(text)
    if value is None:
        raise InputError(f"not a number: {text[:80]!r}")
    return value


def number_text(text: str) -> str | None:
    """Like `canonical`, but None where `text` is more or less than one number."""
    cleaned = _MARKUP.sub("", plain(text)).strip()
    mixed = _MIXED.fullmatch(cleaned)
    if mixed and int(mixed[4]):
        value = int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4]))
        return fraction_text(-value if mixed[1] else value)
    if _SPACED.fullmatch(cleaned):
        cleaned = cleaned.replace(" ", "")
    found = list(_first(cleaned, 2))
    if len(found) != 1:
        return None
    rest = cleaned[: found[0].start] + cleaned[found[0].end :]
    return found[0].value if _BARE.fullmatch(rest) else None


def gold_of(answer: str) -> str:
    """Canonical number after GSM8K's `####`.

    Raises:
        InputError: there is no `####`, or no number after it.
    """
    _, mark, last = answer.rpartition(GOLD_MARK)
    if not mark:
        raise InputError(f"no {GOLD_MARK} in the reference answer {answer[-80:]!r}")
    return canonical(last)


def final_answer(text: str) -> str | None:
    r"""The answer that `text`, written after the thought, commits to.

    The last `\boxed{...}`, else what follows the last "answer is", else the last
    number. A number comes in canonical form; a box that holds no single number as it
    stands.
    """
    boxed = last_boxed(text)
    if boxed is not None and boxed.strip():
        return _single_number(boxed) or boxed.strip()
    for mark in reversed(list(_ANSWER_IS.finditer(text))):
        # "Answer:" before a long text is a heading of the whole solution.
        if mark.group().endswith((":", "*")) and len(text) - mark.end() > HEADING:
            continue
        value = _stated(text[mark.end() : mark.end() + 300])
        if value is not None:
            return value
    _, mark_found, last = text.rpartition(GOLD_MARK)
    found = list(numerals(last if mark_found else text))
    digits = [item for item in found if item.written != "words"]
    return (digits or found)[-1].value if found else None


def last_boxed(text: str) -> str | None:
    r"""Content of the last `\boxed{...}`, braces balanced; up to the line's end if cut.

    Time is linear: only the last box is opened.
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
    """Whether two answers are the same value; `a` is the reference.

    Two numbers are compared exactly, only "1/3" and the like by `precision` decimals;
    math-verify decides where one is something else
    (a set, an expression, a text); the keywords are its own: the notations to read,
    decimals to compare, whether variables must carry the same names, whether `x = 1`
    may answer a set.
    """
    left, right = number_text(a), number_text(b)
    if left is not None and right is not None:
        return left == right or _rounded_alike(left, right, precision)
    if not a.strip() or not b.strip():
        return False
    return _equivalent(a, b, notations, precision, strict, sets_as_relations)


def _rounded_alike(a: str, b: str, precision: int) -> bool:
    """Whether a fraction without a short decimal form is written out by the other."""
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
    """math-verify's verdict; imported here because it takes long to import."""
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
    # Its time limits are signals, which only the main thread can set.
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


def _first(text: str, limit: int) -> list[Numeral]:
    """The first numbers of `text` that are not in words."""
    found: list[Numeral] = []
    for item in numerals(text):
        found.append(item)
        if len(found) == limit:
            break
    return found


def _single_number(text: str) -> str | None:
    """Canonical form if `text` holds exactly one number, units around it allowed."""
    value = number_text(text)
    if value is not None:
        return value
    found = [item for item in numerals(text) if item.written != "words"]
    if len(found) != 1:
        return None
    rest = _UNIT_TEXT.sub("", text[: found[0].start] + text[found[0].end :])
    # A letter at the number is algebra ("2p", "x^2"), not a unit.
    touching = text[found[0].end : found[0].end + 1]
    return (
        None
        if re.search(r"[\^_=<>+*/]", rest) or touching.isalpha()
        else found[0].value
    )


def _stated(text: str) -> str | None:
    """The number that a text after "answer is" states first, in bold preferred."""
    line = text.lstrip().split("\n", 1)[0]
    bold = [_single_number(match[1]) for match in _BOLD.finditer(line)]
    bold = [value for value in bold if value is not None]
    if bold:
        return bold[0]
    return next((item.value for item in numerals(line)), None)
