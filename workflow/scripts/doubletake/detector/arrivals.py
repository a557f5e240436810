"""Which values a thought answers with, and which of its sentences conclude."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from doubletake.detector.asked import Asked
from doubletake.detector.cues import turn_cue
from doubletake.detector.statements import (
    COMMITTED,
    OPERAND,
    OPERATION,
    OTHER,
    RESULT,
    SIGNS,
    Numbers,
    Statement,
)
from doubletake.text.answers import last_boxed, number_text
from doubletake.text.sentences import Span

LAST_SENTENCES = 8  # of a thought, in which a conclusion without a name is looked for

_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|must|needs? to|has to|have to|should|would|will|"
    r"answer|conclu\w+|total|altogether|yes|exactly|confident)\b",
    re.IGNORECASE,
)
_DEDUCES = re.compile(
    r"\W*(?:so|therefore|thus|hence|finally|in total|this)\b", re.IGNORECASE
)
_FOLLOWS = re.compile(
    r"\W*(?:(?:okay|yes|yeah|and|but|then|now)[,\s]+)?(?:so|therefore|thus|hence|finally|"
    r"that|this|that's|which|it)\b",
    re.IGNORECASE,
)
_DEDUCED = re.compile(
    r"(?:\b(?:so|then|therefore|thus|hence)|\b[a-z]\s?=)\s?\$?$", re.IGNORECASE
)
_PLANS = re.compile(
    r"\b(?:i'll|i will|i need to|to find|to determine|calculate|add|subtract|multiply|"
    r"divide|determine|find|present)\b",
    re.IGNORECASE,
)
_WORKED_OUT = re.compile(
    rf"\d[\s$)}}\]%]*+(?:{SIGNS}|[/=-]|\b{OPERATION}\b)", re.IGNORECASE
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


def is_work(sentence: str) -> bool:
    """Whether a sentence is more than an announcement ("Let me see.")."""
    return len(sentence) > 30 or any(char.isdigit() for char in sentence)


def answer_statements(thought: str, numbers: Numbers) -> list[Statement]:
    """The statements by which the thought may answer, right or wrong, in order.

    Those of the value that it ends on and of slips that were taken for the answer, and
    every other value where the thought says that it is the answer, supposing nothing.
    """
    committed = numbers.committed()
    final = concluded_value(thought, numbers, committed)
    if final is None:
        return []
    stated = {
        item.numeral.start: item
        for value in {final} | _slips(thought, numbers, final)
        for item in _answering(thought, numbers, value)
    }
    for item in committed:
        if not item.supposed:
            stated[item.numeral.start] = item
    return [stated[start] for start in sorted(stated)]


def _answering(thought: str, numbers: Numbers, value: str) -> list[Statement]:
    """Statements of a value that may answer, its use as an intermediate left aside.

    Statements of a thing that is not asked for count only where there are no others,
    and a number of the question only where it is computed, deduced or committed to.
    """
    statements = numbers.of_value(value)
    passing = _intermediates(thought, numbers, statements)
    given = value in numbers.asked.numbers
    able = [
        item
        for place, item in enumerate(statements)
        if item.role != OPERAND
        and place not in passing
        and not (given and _is_given(thought, numbers.spans, item))
    ]
    return [item for item in able if item.role != OTHER] or able


def _is_given(thought: str, spans: Sequence[Span], item: Statement) -> bool:
    """Whether a number of the question is just repeated here."""
    if item.role == COMMITTED:
        return False
    start, end = spans[item.sentence]
    before = thought[max(start, item.numeral.start - 24) : item.numeral.start]
    deduced = _FOLLOWS.match(thought, start, end) or _DEDUCED.search(before)
    return not (deduced or (item.role == RESULT and item.derived))


def _intermediates(
    thought: str, numbers: Numbers, statements: Sequence[Statement]
) -> set[int]:
    """Places of results that are computed with and then derived anew.

    "2 * 14 = 28. ... 28 + 20 = 48. ... 76 - 48 = 28." answers with its second 28, and
    "4 times 0.5 is 2, so the total is 6. ... x = 2." with its second 2.
    """
    passing: set[int] = set()
    pending: list[int] = []
    used = partial = False
    last = -1
    for place, item in enumerate(statements):
        if last >= 0 and _turns_between(thought, numbers.spans, last, item.sentence):
            pending, used, partial = [], False, False
        last = item.sentence
        if item.role == OPERAND:
            used = used or bool(pending)
            continue
        if partial or (used and item.role == RESULT and item.derived):
            passing.update(pending)
            pending, used = [], False
        pending.append(place)
        partial = _is_partial(numbers, item)
    return passing


def _is_partial(numbers: Numbers, item: Statement) -> bool:
    """Whether its sentence goes on from this result to another one."""
    return item.role == RESULT and any(
        other.role == RESULT
        and other.numeral.start > item.numeral.start
        and other.numeral.value != item.numeral.value
        for other in numbers.of_sentence(item.sentence)
    )


def _turns_between(thought: str, spans: Sequence[Span], first: int, last: int) -> bool:
    """Whether a sentence after `first`, up to `last`, turns back."""
    return any(turn_cue(thought[slice(*span)]) for span in spans[first + 1 : last + 1])


def concluded_value(
    thought: str, numbers: Numbers, committed: Sequence[Statement]
) -> str | None:
    """The value that the thought ends on, None if it commits to none.

    Its last box, else its last "the answer is", else the result in its last sentences.
    """
    boxed = last_boxed(thought)
    value = number_text(boxed) if boxed else None
    if value is not None:
        return value
    said = [item.numeral.value for item in committed if not item.supposed]
    if said:
        return said[-1]
    supposed = [item.numeral.value for item in committed]
    return _last_result(thought, numbers) or (supposed[-1] if supposed else None)


def _last_result(thought: str, numbers: Numbers) -> str | None:
    """The result that stands in the last sentences; None where they only plan."""
    spans = numbers.spans
    for index in range(len(spans) - 1, max(-1, len(spans) - 1 - LAST_SENTENCES), -1):
        sentence = thought[slice(*spans[index])]
        value = _result_of(sentence, numbers.of_sentence(index), numbers.asked)
        if value is not None:
            return value
        if _PLANS.search(sentence):
            return None
    return None


def _result_of(sentence: str, stated: Sequence[Statement], asked: Asked) -> str | None:
    """The value that a closing sentence gives as a result.

    A number of the question counts only where it is computed or concluded.
    """
    plan = _PLANS.search(sentence) is not None
    deduced = not plan and _DEDUCES.match(sentence) is not None
    computed = deduced or any(item.role == OPERAND for item in stated)
    stated = [item for item in stated if item.role != OPERAND]
    new = [item for item in stated if item.numeral.value not in asked.numbers]
    results = [item for item in stated if item.role == RESULT]
    for preferred in (
        [item for item in results if item in new or item.derived],
        new if computed and not plan else [],
        results if deduced else [],
        stated if deduced else [],
    ):
        if preferred:
            return preferred[-1 if preferred[0].role == RESULT else 0].numeral.value
    return None


def _slips(thought: str, numbers: Numbers, final: str) -> set[str]:
    """Results that stood as the answer until the step was found wrong.

    Of steps that have the sign and one number of a step to the final value, whose
    result is used by no other step, and after which the thought turns back or ends.
    """
    equations = [
        _Equation(match.start(), match[1], match[2], match[3], match[4])
        for match in _EQUATION.finditer(numbers.text)
    ]
    same_step = {
        key
        for e in equations
        if e.result == final
        for key in ((e.sign, e.left, None), (e.sign, None, e.right))
    }
    used = {number for e in equations for number in (e.left, e.right)}
    used |= numbers.asked.numbers
    spans = numbers.spans
    starts = [span.start for span in spans]
    slips = set()
    for e in equations:
        alike = {(e.sign, e.left, None), (e.sign, None, e.right)} & same_step
        if alike and e.result != final and e.result not in used:
            index = bisect_right(starts, e.start)
            if _is_doubted(thought, spans[index : index + 2], e.result):
                slips.add(e.result)
    return slips


def _is_doubted(thought: str, following: Sequence[Span], value: str) -> bool:
    """Whether the thought turns back or ends after the step, a restatement aside."""
    for span in following:
        sentence = thought[slice(*span)]
        if turn_cue(sentence):
            return True
        if value not in sentence:
            return False
    return len(following) < 2
