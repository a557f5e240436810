"""Other values that a thought took for the answer before it settled on the last one.

A wrong or rival value is known by the step that gives it: the step has the sign and one
number of a step to the final value, and the thought turns back or ends after it.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from doubletake.detector.backtrack_cues import turn_cue
from doubletake.detector.stated_numbers import (
    COMMITTED,
    RESULT,
    StatedNumber,
    StatedNumbers,
)
from doubletake.text.sentences import Span

# ASSUME: a longer sentence, or one with a digit, reasons.
LONGEST_ANNOUNCEMENT = 30  # characters
_OF_A_WHOLE = "-/\u00f7"
_TERM = r"(\d{1,15}(?:\.\d{1,9})?)"
_MONEY = r"\s?\\?\$?"
_EQUATION = re.compile(
    rf"(?<![\d.]){_TERM}\s?([-+*/\u00d7\u00f7]){_MONEY}{_TERM}\s?={_MONEY}{_TERM}"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class _Equation(NamedTuple):
    """`left sign right = result` as it is written."""

    start: int
    end: int
    left: str
    sign: str
    right: str
    result: str


class RivalAnswers(NamedTuple):
    """What a thought took for the answer, besides the value that it ends with."""

    values: frozenset[str]
    """Values that no other step uses: every statement of them may answer."""
    statements: tuple[StatedNumber, ...]
    """Results that answer where they stand; their values also occur in other steps."""


def is_reasoning(sentence: str) -> bool:
    """Whether a sentence is more than an announcement ("Let me see.")."""
    return len(sentence) > LONGEST_ANNOUNCEMENT or any(
        char.isdigit() for char in sentence
    )


def rival_answers(thought: str, numbers: StatedNumbers, final: str) -> RivalAnswers:
    """The values other than the final one that the thought took for the answer.

    A step that computes with the final value checks it. A rival whose value other steps
    use must be taken from the same whole ("43 - 8 = 35" against "43 - 12 = 31").
    """
    equations = [
        _Equation(*match.span(), *match.groups())
        for match in _EQUATION.finditer(numbers.text)
    ]
    steps = {
        key
        for e in equations
        if e.result == final
        for key in ((e.sign, e.left, None), (e.sign, None, e.right))
    }
    used = {number for e in equations for number in (e.left, e.right)}
    used |= numbers.asked.given_numbers
    starts = [span.start for span in numbers.spans]
    values, statements = set(), []
    for e in equations:
        first, second = (
            (e.sign, e.left, None) in steps,
            (e.sign, None, e.right) in steps,
        )
        if final in (e.left, e.right, e.result) or not (first or second):
            continue
        sentence = bisect_right(starts, e.start) - 1
        if not _is_left(thought, numbers.spans[sentence:], e):
            continue
        if e.result not in used:
            values.add(e.result)
        elif (
            first
            and e.sign in _OF_A_WHOLE
            and e.result not in numbers.asked.given_numbers
        ):
            statements += [
                item
                for item in numbers.of_sentence(sentence)
                if item.numeral.end == e.end and item.role in (RESULT, COMMITTED)
            ]
    return RivalAnswers(frozenset(values), tuple(statements))


def _is_left(thought: str, spans: Sequence[Span], step: _Equation) -> bool:
    """Whether the thought turns back or ends after a step and only restates it.

    Args:
        thought: the text.
        spans: the sentence of the step, and the sentences after it.
        step: the step.
    """
    rest = thought[step.end : spans[0].end]
    if not set(_NUMBER.findall(rest)) <= {step.result}:
        return False
    for span in spans[1:]:
        sentence = thought[slice(*span)]
        if turn_cue(sentence):
            return True
        numbers = set(_NUMBER.findall(sentence))
        if numbers != {step.result} and (numbers or is_reasoning(sentence)):
            return False
    return True
