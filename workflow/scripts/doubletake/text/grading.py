r"""Judges an answer by its reference: final answers and forced ones alike."""

import re
from fractions import Fraction
from typing import NamedTuple

from doubletake.text.answers import (
    UNIT_TEXT,
    boxes_of_last_sentence,
    last_boxed,
    last_boxes,
    number_text,
)
from doubletake.text.equality import same_expression, same_value
from doubletake.text.final_answers import (
    ANSWER_IS,
    MOST_BOXES,
    MOST_STATEMENTS,
    FinalAnswer,
    read_answer,
)
from doubletake.text.golds import CHOICE, NUMBER, kind_of
from doubletake.text.numerals import fraction_text, numerals, plain

LONGEST_PERCENTAGE = 20  # characters

_PERCENT = re.compile(r"%|\bper ?cent\b|\bpct\b", re.IGNORECASE)
_LETTER = re.compile(
    r"\W*(?:\\?(?:text|textbf|mathrm|mathbf)\s?\{)?\W*(?:(?:option|choice)\s+)?"
    r"[(\[{*]*([A-J])(?![A-Za-z']|\s+[a-z]+\s+[a-z])",
)
_LONE_LETTER = re.compile(r"(?:^|[\s(*\[{$])([A-J])(?=[).:*\]},$]|\s*$)")
_FORMULA = re.compile(
    r"\$([^$\n]{1,200})\$|\\\((.{1,200}?)\\\)|\\\[(.{1,200}?)\\\]", re.S
)


class Task(NamedTuple):
    """What an answer is an answer to."""

    gold: str
    """The reference answer in canonical form (`gold_of`)."""
    question: str
    thought: str
    """The text before the answer; it shows how decimals are written."""


class Judged(NamedTuple):
    """An answer and the verdict on it."""

    answer: str | None
    """Canonical number, letter or expression; the text as it is where it is none of
    them; None where no answer is given."""
    correct: bool
    """Whether it has the value of the reference answer."""


def judged(text: str, task: Task) -> Judged:
    """The answer of a text, and whether it has the value of the reference.

    A number is compared exactly, a letter as it is, and an expression by math-verify.

    ASSUME: "20%" has the value of the references 20 and 0.2.

    Args:
        text: that follows the thought.
        task: question and reference.
    """
    kind = kind_of(task.gold)
    if kind == CHOICE:
        letter = _letter(text)
        return Judged(letter, letter == task.gold)
    found = read_answer(text, task.question, task.thought)
    if kind == NUMBER:
        if found is None:
            return Judged(None, False)
        return Judged(found.value, _has_number(task.gold, found))
    written = _expression(text)
    if written is None:
        return Judged(None, False)
    same = same_expression(task.gold, written)
    return Judged(number_text(written) or written, same)


def _has_number(gold: str, found: FinalAnswer) -> bool:
    """Whether an answer has the value of a number."""
    if number_text(found.value) is not None:
        if same_value(gold, found.value):
            return True
        is_percentage = _PERCENT.search(plain(found.written)) is not None
        return is_percentage and gold == _hundredth(found.value)
    # math-verify would take the first part of "2 \text{ hours } 30" for the whole.
    several = UNIT_TEXT.search(found.value) and len(list(numerals(found.value))) > 1
    return (
        not several
        and bool(re.search(r"[\\^]", found.value))
        and same_expression(gold, found.value)
    )


def _hundredth(value: str) -> str | None:
    """A canonical number divided by 100; None for a time and for too many digits."""
    if ":" in value or len(value) > LONGEST_PERCENTAGE:
        return None
    return fraction_text(Fraction(value) / 100)


def _letter(text: str) -> str | None:
    """The letter of a choice: in the last box, after "the answer is", or the last."""
    boxed = last_boxed(text)
    if boxed is not None:
        match = _LETTER.match(boxed)
        return match[1] if match else None
    for mark in reversed([*ANSWER_IS.finditer(text)][-MOST_STATEMENTS:]):
        match = _LETTER.match(text, mark.end())
        if match:
            return match[1]
    lone = _LONE_LETTER.findall(text)
    return lone[-1] if lone else None


def _expression(text: str) -> str | None:
    """The boxes of one sentence, else a formula: after "the answer is", or the last.

    Several boxes are one list.
    """
    found = last_boxes(text, MOST_BOXES)
    if found and found[-1].content.strip():
        together = boxes_of_last_sentence(text, found)
        return ", ".join(box.content.strip() for box in together)
    marks = list(ANSWER_IS.finditer(text))
    stated = text[marks[-1].end() :] if marks else ""
    formulas = _FORMULA.findall(stated)[:1] or _FORMULA.findall(text)[-1:]
    if formulas:
        return next(filter(None, formulas[0])).strip()
    line = stated.strip().split("\n", 1)[0].strip(" .*")
    return line or None
