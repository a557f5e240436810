"""Numbers of a thought that may be its answer, right or wrong."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from doubletake.detector import chinese_cues
from doubletake.detector.asked_quantity import AskedQuantity
from doubletake.detector.backtrack_cues import asks, turn_cue
from doubletake.detector.rival_answers import rival_answers
from doubletake.detector.stated_numbers import (
    COMMITTED,
    OPERAND,
    OPERATION,
    OTHER_UNIT,
    RESULT,
    SIGNS,
    StatedNumber,
    StatedNumbers,
)
from doubletake.text.answers import last_boxed, single_number
from doubletake.text.sentences import Span

# ASSUME: a result without "the answer is" counts only near the end of the thought.
LAST_SENTENCES = 8

_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|must|needs? to|has to|have to|should|would|will|"
    r"answer|conclu\w+|total|altogether|yes|exactly|confident)\b",
    re.IGNORECASE,
)
_DEDUCES = re.compile(
    r"\W*(?:(?:so|therefore|thus|hence|finally|in total|this)\b"
    rf"|{chinese_cues.DEDUCES})",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\W*(?:(?:okay|yes|yeah|and|but|then|now)[,\s]+)?(?:so|therefore|thus|hence|finally|"
    rf"that|this|that's|which|it)\b|\W*(?:{chinese_cues.DEDUCES})",
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


def is_conclusion(sentence: str) -> bool:
    """Whether a sentence has the words of a conclusion ("so", "must", "in total")."""
    concludes = _CONCLUDES.search(sentence) or (
        chinese_cues.in_chinese(sentence) and chinese_cues.CONCLUDES.search(sentence)
    )
    return bool(concludes) and not asks(sentence)


def deduces(sentence: str) -> bool:
    """Whether a sentence begins with the words of a conclusion ("So", "Therefore")."""
    return bool(_DEDUCES.match(sentence))


def has_computation(text: str) -> bool:
    """Whether a text computes with numbers in digits."""
    return bool(_WORKED_OUT.search(text))


def answer_candidates(thought: str, numbers: StatedNumbers) -> list[StatedNumber]:
    """The numbers by which the thought may answer, right or wrong, in order.

    A number may answer if its value is the one that the thought ends with, or a rival
    of it (see `rival_answers`). A number of any other value may answer where the
    thought says that it is the answer and the sentence is not hypothetical; if the
    thought says so twice, also where it is a result with which it does not go on.
    """
    committed = numbers.committed()
    final = concluded_value(thought, numbers, committed)
    if final is None:
        return []
    asserted = [item for item in committed if not item.hypothetical]
    rivals = rival_answers(thought, numbers, final)
    candidates = {
        item.numeral.start: item
        for value in {final} | rivals.values
        for item in _candidates_of_value(thought, numbers, value)
    }
    repeated = [
        item
        for value in _repeated_values(numbers, asserted) - {final}
        for item in _unused_results(thought, numbers, value)
    ]
    for item in (*repeated, *rivals.statements, *asserted):
        candidates[item.numeral.start] = item
    return [candidates[start] for start in sorted(candidates)]


def _repeated_values(
    numbers: StatedNumbers, asserted: Sequence[StatedNumber]
) -> set[str]:
    """Values that the thought calls the answer twice; none of the question's."""
    counts = Counter(item.numeral.value for item in asserted)
    given = numbers.asked.given_numbers
    return {value for value, count in counts.items() if count > 1} - given


def _unused_results(
    thought: str, numbers: StatedNumbers, value: str
) -> list[StatedNumber]:
    """Results of a value with which the thought does not compute before it turns."""
    used = {
        item.numeral.start
        for item, following in pairwise(numbers.of_value(value))
        if following.role == OPERAND
        and not _turns_between(
            thought, numbers.spans, item.sentence, following.sentence
        )
    }
    return [
        item
        for item in _candidates_of_value(thought, numbers, value)
        if item.role == RESULT and item.numeral.start not in used
    ]


def _candidates_of_value(
    thought: str, numbers: StatedNumbers, value: str
) -> list[StatedNumber]:
    """Numbers of one value that may answer; intermediate results are left out.

    Numbers with a unit that is not asked for count only where the value has no other
    number. A number of the question counts only where the thought computes it, deduces
    it or says that it is the answer.
    """
    stated = numbers.of_value(value)
    intermediate = _intermediates(thought, numbers, stated)
    given = value in numbers.asked.given_numbers
    candidates = [
        item
        for index, item in enumerate(stated)
        if item.role != OPERAND
        and index not in intermediate
        and not (given and _is_repeated(thought, numbers.spans, item))
    ]
    return [item for item in candidates if item.role != OTHER_UNIT] or candidates


def _is_repeated(thought: str, spans: Sequence[Span], item: StatedNumber) -> bool:
    """Whether the thought only repeats a number of the question here."""
    if item.role == COMMITTED:
        return False
    start, end = spans[item.sentence]
    before = thought[max(start, item.numeral.start - 24) : item.numeral.start]
    deduced = _FOLLOWS.match(thought, start, end) or _DEDUCED.search(before)
    return not (deduced or (item.role == RESULT and item.after_operand))


def _intermediates(
    thought: str, numbers: StatedNumbers, stated: Sequence[StatedNumber]
) -> set[int]:
    """Indices of results that the thought uses in a computation and derives again.

    "2 * 14 = 28. ... 28 + 20 = 48. ... 76 - 48 = 28." answers with the second 28.
    "4 times 0.5 is 2, so the total is 6. ... x = 2." answers with the second 2.
    """
    intermediate: set[int] = set()
    pending: list[int] = []
    used = partial = False
    last = -1
    for index, item in enumerate(stated):
        if last >= 0 and _turns_between(thought, numbers.spans, last, item.sentence):
            pending, used, partial = [], False, False
        last = item.sentence
        if item.role == OPERAND:
            used = used or bool(pending)
            continue
        if partial or (used and item.role == RESULT and item.after_operand):
            intermediate.update(pending)
            pending, used = [], False
        pending.append(index)
        partial = _is_partial(numbers, item)
    return intermediate


def _is_partial(numbers: StatedNumbers, item: StatedNumber) -> bool:
    """Whether the sentence of this result goes on to another result."""
    return item.role == RESULT and any(
        other.role == RESULT
        and other.numeral.start > item.numeral.start
        and other.numeral.value != item.numeral.value
        for other in numbers.of_sentence(item.sentence)
    )


def _turns_between(thought: str, spans: Sequence[Span], first: int, last: int) -> bool:
    """Whether a sentence after sentence `first`, up to `last`, turns back."""
    return any(turn_cue(thought[slice(*span)]) for span in spans[first + 1 : last + 1])


def concluded_value(
    thought: str, numbers: StatedNumbers, committed: Sequence[StatedNumber]
) -> str | None:
    """The value that the thought ends with; None if it gives no answer.

    It is the value in the last box, else after the last "the answer is", else the
    result in the last sentences.
    """
    boxed = last_boxed(thought)
    value = single_number(boxed, numbers.mark) if boxed else None
    if value is not None:
        return value
    certain = [item.numeral.value for item in committed if not item.hypothetical]
    if certain:
        return certain[-1]
    hypothetical = [item.numeral.value for item in committed]
    return _last_result(thought, numbers) or (
        hypothetical[-1] if hypothetical else None
    )


def _last_result(thought: str, numbers: StatedNumbers) -> str | None:
    """The result in the last sentences; None where they only plan."""
    spans = numbers.spans
    for index in range(len(spans) - 1, max(-1, len(spans) - 1 - LAST_SENTENCES), -1):
        sentence = thought[slice(*spans[index])]
        value = _result_of(sentence, numbers.of_sentence(index), numbers.asked)
        if value is not None:
            return value
        if _PLANS.search(sentence):
            return None
    return None


def _result_of(
    sentence: str, stated: Sequence[StatedNumber], asked: AskedQuantity
) -> str | None:
    """The value that one of the last sentences gives as a result.

    A number of the question counts only where the sentence computes or concludes it.
    """
    plan = _PLANS.search(sentence) is not None
    deduced = not plan and deduces(sentence)
    computed = deduced or any(item.role == OPERAND for item in stated)
    stated = [item for item in stated if item.role != OPERAND]
    new = [item for item in stated if item.numeral.value not in asked.given_numbers]
    results = [item for item in stated if item.role == RESULT]
    for preferred in (
        [item for item in results if item in new or item.after_operand],
        new if computed and not plan else [],
        results if deduced else [],
        stated if deduced else [],
    ):
        if preferred:
            return preferred[-1 if preferred[0].role == RESULT else 0].numeral.value
    return None
