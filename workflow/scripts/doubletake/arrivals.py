"""Where a thought states a number, in which role, and which values it answers with."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from doubletake.answers import last_boxed, number_text
from doubletake.asked import Asked
from doubletake.cues import turn_cue
from doubletake.numerals import Numeral, numerals, plain
from doubletake.sentences import Span

COMMITTED, RESULT, MENTION, OPERAND = "committed", "result", "mention", "operand"
CONTEXT = 64  # characters before and after a number that are read


class Statement(NamedTuple):
    """A number of the thought with its role and the sentence that holds it."""

    numeral: Numeral
    sentence: int
    role: str
    """`committed`: after "the answer is"; `result`: after "=", "is", "gives" and the
    like; `operand`: computed with, supposed or denied; `mention`: anything else."""
    derived: bool
    """An operand stands before it in the same sentence."""


def _any(*options: str) -> str:
    return f"(?:{'|'.join(options)})"


_OPEN = r"(?:[\s$({\[~]|\*\*|\\[(\[$,;! ]|\\(?:boxed|text|mathbf|textbf|mathrm)\s?\{)*+"
_CLOSE = (
    r"(?:[\s$)}\]~%]|\*\*|\\[)\]%$,;! ]|\\(?:text|mathrm)\s?\{[^{}\n]{0,24}\}"
    r"|\([^()\n]{0,40}\))*+"
)
_SIGNS = r"[+*\u00d7\u00f7\u2217\u22c5\u00b7^<>]|\\(?:times|cdot|div|frac|le|ge|lt|gt)\b"
_OPERATION = _any("plus", "minus", "times", "divided by", "multiplied by", "over")
_UNIT = (
    r"(?:(?:\s|-)(?!(?:plus|minus|times|divided|multiplied|over|is|are|equals?|and|or|so"
    r"|but|which|then|for|to|in)\b)[a-z'/-]+\.?){0,3}"
)
_OPERAND_BEFORE = re.compile(
    _any(
        rf"(?:{_SIGNS}|[/-])",
        rf"\b{_any('plus', 'minus', 'times', 'by', 'from', 'of', 'not', 'over', 'and')}",
        r"\b(?:add|subtract|divid|multiply|tak)(?:e|ing)?",
        r"\b(?:every|each|per|instead of|rather than|than|another|first|last|other)",
    )
    + _OPEN
    + "$",
    re.IGNORECASE,
)
_TOTAL_OF = re.compile(rf"\b(?:total|sum|average|difference|product)\s+of{_OPEN}$", re.I)
_OPERAND_AFTER = re.compile(
    _CLOSE
    + _any(
        rf"{_UNIT}\s*(?:{_SIGNS}|[/-](?=\s?[\d$(\\])|=|\u2248)",
        rf"{_UNIT},?\s*\b(?:{_OPERATION}|goes into|out of)\b",
        rf"{_UNIT}\s*\b(?:is|are|equals?)\s+(?:indeed\s+|actually\s+|just\s+|also\s+)?"
        r"(?:\\?\$)?\d",
        r"\s*\b(?:of|and)\s+(?:the\s+)?(?:\\?\$)?\d",
        rf"{_UNIT}\s*\b(?:is|are|was|isn't|can't be|cannot be)\s*"
        r"(?:not|wrong|incorrect|too|impossible)\b",
    )
    + r"|[a-dnp-rt-z]\b",
    re.IGNORECASE,
)
_VERB = _any(
    *("is", "are", "was", "were", "be", "been", "being", "equals?", "equal(?:l?ing)?"),
    *("equal to", "gives?", "giving", "gave", "gets?", "got", "getting", "makes?"),
    *("made", "making", "leaves?", "leaving", "left with", "totals?", "totall?ing"),
    *("becomes?", "becoming", "comes? (?:out |down |up )?to", "results? in", "yields?"),
    *("resulting in", "amounts? to", "means?", "meaning", "works? out (?:to|as)"),
    *("has", "have", "had", "having", "to get"),
)
_FILLER = (
    r"(?:(?:a|an|the|my|our|exactly|indeed|still|also|only|about|around|just|actually|"
    r"really|total|of|sum|now|then|approximately|simply|precisely|roughly|equal|to|"
    r"me|us|you|him|her|it|them|in|again|final|up|out|same|amount|value|answer)\b\s*){0,5}"
)
_RESULT_BEFORE = re.compile(
    rf"(?:=|\u2248|\u2192|\\approx|\\implies|\\Rightarrow|:"
    rf"|(?:\b|')(?:{_VERB}|s|re)\b){_OPEN},?{_OPEN}(?:indeed,?\s|equal\s)?{_FILLER}{_OPEN}$",
    re.IGNORECASE,
)
_COMMITS = re.compile(
    r"\b(?:answer|conclusion)\b[^.\n]{0,80}?(?:\bis\b|\bbe\b|=|:|\bto\b)"
    r"|\\boxed\{|####",
    re.IGNORECASE,
)
_SUPPOSES = re.compile(r"\W*(?:\w+[,\s]+){0,3}(?:if|suppose|supposing|assum\w+|when)\b", re.I)
_CONSEQUENCE = re.compile(r",|\bthen\b|\bso\b", re.IGNORECASE)
_PLAN = re.compile(r"\b(?:whether|if) $", re.IGNORECASE)


def statements(thought: str, spans: Sequence[Span], asked: Asked) -> list[Statement]:
    """Every number of the thought with its role, in order."""
    text = plain(thought)
    starts = [span.start for span in spans]
    found: list[Statement] = []
    current, derived, commits = -1, False, len(text)
    for numeral in numerals(thought):
        sentence = bisect_right(starts, numeral.start) - 1
        if sentence != current:
            current, derived = sentence, False
            commits = _commitment(text, spans[sentence])
        role = _role(text, numeral, spans[sentence], asked)
        if role in (RESULT, MENTION) and numeral.start >= commits:
            role = COMMITTED
        found.append(Statement(numeral, sentence, role, derived))
        derived = derived or role == OPERAND
    return found


def _commitment(text: str, span: Span) -> int:
    """Where the sentence says that the answer follows; the text's end if nowhere."""
    match = _COMMITS.search(text, span.start, min(span.end, span.start + 600))
    return match.end() if match else len(text)


def _role(text: str, numeral: Numeral, span: Span, asked: Asked) -> str:
    """Role of a number, "the answer is" left aside."""
    before = text[max(span.start, numeral.start - CONTEXT) : numeral.start]
    after = text[numeral.end : min(span.end, numeral.end + CONTEXT)]
    total = _TOTAL_OF.search(before)
    if _OPERAND_AFTER.match(after) or (_OPERAND_BEFORE.search(before) and not total):
        return OPERAND
    if not asked.fits(before, after) or _is_supposed(text, numeral, span):
        return OPERAND
    if _RESULT_BEFORE.search(before) or total:
        return RESULT
    return OPERAND if numeral.written == "words" else MENTION


def _is_supposed(text: str, numeral: Numeral, span: Span) -> bool:
    """Whether the number stands in the condition of an "if" sentence."""
    match = _SUPPOSES.match(text, span.start, min(span.end, span.start + 80))
    if match is None or match.end() > numeral.start:
        return False
    return _CONSEQUENCE.search(text, match.end(), numeral.start) is None


def concluded_value(thought: str, found: Sequence[Statement], asked: Asked) -> str | None:
    """The value that the thought ends on, None if it commits to none.

    Its last box, else its last "the answer is", else the last result that is not just
    a number of the question repeated.
    """
    boxed = last_boxed(thought)
    value = number_text(boxed) if boxed else None
    if value is not None:
        return value
    for item in reversed(found):
        if item.role == COMMITTED:
            return item.numeral.value
    computed = {
        item.numeral.value
        for item in found
        if item.role == RESULT
        and (item.derived or item.numeral.value not in asked.numbers)
    }
    for item in reversed(found):
        if item.role != OPERAND and item.numeral.value in computed:
            return item.numeral.value
    return None


_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|must|needs? to|has to|have to|should|would|will|"
    r"answer|conclu\w+|total|altogether|yes|exactly|confident)\b",
    re.IGNORECASE,
)
_WORKED_OUT = re.compile(
    rf"\d{_CLOSE}(?:{_SIGNS}|[/=-]|\b{_OPERATION}\b)", re.IGNORECASE
)
_EQUATION = re.compile(
    r"(?<![\d.])(\d{1,15}(?:\.\d{1,9})?)\s?([-+*/\u00d7\u00f7])\s?"
    r"(\d{1,15}(?:\.\d{1,9})?)\s?=\s?(\d{1,15}(?:\.\d{1,9})?)"
)


class _Equation(NamedTuple):
    """`left sign right = result` as written."""

    start: int
    left: str
    sign: str
    right: str
    result: str


def is_conclusion(sentence: str) -> bool:
    """Whether a sentence has the words of a conclusion ("so", "must", "in total")."""
    return bool(_CONCLUDES.search(sentence)) and not sentence.rstrip().endswith("?")


def is_worked_out(text: str) -> bool:
    """Whether a text computes with digits."""
    return bool(_WORKED_OUT.search(text))


def answer_values(
    thought: str, spans: Sequence[Span], found: Sequence[Statement], asked: Asked
) -> frozenset[str]:
    """All values that the thought answers with, right or wrong.

    The one it ends on, those it says are the answer, and the result of a step that has
    the sign and one number of the last step to the answer and is doubted at once: a
    slip that was taken for the answer.
    """
    final = concluded_value(thought, found, asked)
    if final is None:
        return frozenset()
    committed = {item.numeral.value for item in found if item.role == COMMITTED}
    return frozenset({final} | committed | _doubted(thought, spans, final) - asked.numbers)


def _doubted(thought: str, spans: Sequence[Span], final: str) -> set[str]:
    """Results of steps like the last one after which the thought turns back."""
    equations = [
        _Equation(match.start(), match[1], match[2], match[3], match[4])
        for match in _EQUATION.finditer(plain(thought))
    ]
    last_steps = [e for e in equations if e.result == final]
    used = {number for e in equations for number in (e.left, e.right)}
    starts = [span.start for span in spans]
    doubted = set()
    for equation in equations:
        if equation.result in (final, *used) or not any(
            equation.sign == step.sign
            and (equation.left == step.left or equation.right == step.right)
            for step in last_steps
        ):
            continue
        index = bisect_right(starts, equation.start)
        if _is_doubted(thought, spans[index : index + 2], equation.result):
            doubted.add(equation.result)
    return doubted


def _is_doubted(thought: str, following: Sequence[Span], value: str) -> bool:
    """Whether the thought turns back or ends after the step, a restatement aside."""
    for span in following:
        sentence = thought[slice(*span)]
        if turn_cue(sentence):
            return True
        if value not in sentence:
            return False
    return len(following) < 2


def is_work(sentence: str) -> bool:
    """Whether a sentence is more than an announcement ("Let me see.")."""
    return len(sentence) > 30 or any(char.isdigit() for char in sentence)
