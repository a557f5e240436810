"""Where a thought states a value, and which value it holds for the answer."""

import re
from bisect import bisect_right
from typing import NamedTuple

from doubletake.answers import last_boxed, number_text
from doubletake.numerals import Numeral, numerals, plain
from doubletake.sentences import Span

RESULT, MENTION, OPERAND = "result", "mention", "operand"
CONTEXT = 48  # characters before and after a number that are read


class Statement(NamedTuple):
    """A number of the thought with its role and the sentence that holds it."""

    numeral: Numeral
    sentence: int
    role: str


_DECORATION = r"(?:[\s$*(\[{~]|\\[(\[$,; ]|\\(?:boxed|text|mathbf|textbf)\{)*+"
_OPERATOR_BEFORE = re.compile(
    r"(?:[+*/\u00d7\u00f7\u00b7^<>-]|\\times|\\cdot|\\div|\bplus|\bminus|\btimes|\bdivided by|\bmultiplied by|"
    r"\bsubtract(?:ing)?|\badd(?:ing)?|\bdivid(?:e|ing)|\bmultiply(?:ing)?|\bby|\bfrom|"
    r"\bof|\band|\bper|\bover|\bevery)"
    r"(?:[\s$*({\[]|\\[($ ])*$",
    re.IGNORECASE,
)
_OPERATOR_AFTER = re.compile(
    r"(?:[\s$)*}\]%]|\\[)$ ]|\\text\{[^{}\n]{0,20}\}|\s?[a-z/]{1,12}\b(?=\s?[+*/\u00d7\u00f7=-]))*?"
    r"\s*(?:[+*/\u00d7\u00f7\u00b7^=<>]|-\s?[\d$]|- |\\times|\\cdot|\\div|plus\b|minus\b|times\b|"
    r"divided\b|multiplied\b|goes into\b|x\s?\d|out of\b)",
    re.IGNORECASE,
)
_RESULT_BEFORE = re.compile(
    r"(?:=|\u2248|\\approx|:|\bis|\bare|\bwas|\bbe|\bequals?|\bequal to|\bgives?(?: (?:me|us|you))?|\bgave|"
    r"\bgets?|\bmakes?|\bhas|\bhave|\bmakes? it|\bleaves?|\bleaving|\btotal(?:ing|s)?(?: of)?|\bbecomes?|"
    r"\bcomes? (?:out )?to|\bresults? in|\byields?|\bto get|\bdown to|\bup to|\bthat's|\bit's|"
    r"\bboxed\{|\banswer|\b(?:a|exactly|only|about|just|indeed|still|also|now|then|simply|approximately|left|remaining|around|so|should be|would be|must be|actually|equal|me|us)\b)"
    r"[\s$*({\[,]*(?:\\[($ ]|\\text\{|\\boxed\{|\\\$|[\s$*({\[])*$",
    re.IGNORECASE,
)
_COMMITS = re.compile(
    r"\b(?:final |correct |right )?(?:answer|conclusion)\b[^.\n]{0,60}?"
    r"(?:\bis\b|\bbe\b|=|:|\bto\b)|\\boxed|####",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"^(?:so|therefore|thus|hence|finally|in total|altogether|in conclusion)\b", re.I
)


def statements(thought: str, spans: tuple[Span, ...]) -> list[Statement]:
    """Every number of the thought with its role, in order."""
    text = plain(thought)
    starts = [span.start for span in spans]
    found = []
    for numeral in numerals(thought):
        sentence = bisect_right(starts, numeral.start) - 1
        found.append(
            Statement(numeral, sentence, _role(text, numeral, spans[sentence]))
        )
    return found


def _role(text: str, numeral: Numeral, span: Span) -> str:
    """Whether the number is computed with, is a result, or is just mentioned."""
    before = text[max(span.start, numeral.start - CONTEXT) : numeral.start]
    after = text[numeral.end : min(span.end, numeral.end + CONTEXT)]
    if _OPERATOR_AFTER.match(after) or _OPERATOR_BEFORE.search(before):
        return OPERAND
    return RESULT if _RESULT_BEFORE.search(before) else MENTION


def concluded_value(
    thought: str, spans: tuple[Span, ...], found: list[Statement]
) -> str | None:
    """The value that the thought ends on, None if it commits to none.

    Its last box, else its last "the answer is", else the last number that the thought
    itself computed.
    """
    boxed = last_boxed(thought)
    value = number_text(boxed) if boxed else None
    if value is not None:
        return value
    value = _last_committed(thought, spans, found)
    if value is not None:
        return value
    computed = {item.numeral.value for item in found if item.role == RESULT}
    for item in reversed(found):
        if item.role != OPERAND and item.numeral.value in computed:
            return item.numeral.value
    return None


def _last_committed(
    thought: str, spans: tuple[Span, ...], found: list[Statement]
) -> str | None:
    """Value of the last "the answer is" sentence."""
    by_sentence: dict[int, list[Statement]] = {}
    for item in found:
        by_sentence.setdefault(item.sentence, []).append(item)
    for index in sorted(by_sentence, reverse=True):
        start, end = spans[index]
        mark = _COMMITS.search(thought[start : min(end, start + 400)])
        if mark is None:
            continue
        after = [
            item
            for item in by_sentence[index]
            if item.numeral.start >= start + mark.end() and item.role != OPERAND
        ]
        if after:
            return after[0].numeral.value
    return None
