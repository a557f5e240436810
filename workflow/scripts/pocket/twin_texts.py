"""Twins: a context with one cause, and the same context without it.

A slip is mended, and what follows from it is worked out again. A distractor is used: a
sentence says that it does not count. It stands in the place of a neutral remark, which
is put into a context that has none, so that one more sentence is no difference between
the two. An open word is replaced by its closed word. The reader of the language checks
every twin.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from doubletake.text.sentences import sentences
from pocket import phrases
from pocket.arithmetic import Equation
from pocket.causes import DISTRACTOR, GO_ON, NONE, OPEN_WORD, SLIP
from pocket.context import QUESTION, THOUGHT
from pocket.planted_events import Boundary
from pocket.problems import CLOSED_WORDS
from pocket.questions import read_question
from pocket.thought_reader import EQUATION, choice_of, read_thought

NUMBER = re.compile(r"\d+")


class NoTwinError(Exception):
    """A context has no twin; the message says why."""


@dataclass(frozen=True, order=True)
class Edit:
    """A piece of a text that is replaced."""

    start: int
    """First character that is replaced, in the question or in the thought."""
    end: int
    """The character after the last; `start` for an insertion."""
    text: str
    """What stands there instead."""
    place: str
    """`question` or `thought`."""


@dataclass(frozen=True)
class Twin:
    """A context without its cause."""

    edits: tuple[Edit, ...]
    """All changes; those of the thought lie before the boundary."""
    padding: tuple[Edit, ...]
    """What the context gets where the twin has one more sentence: a neutral remark."""
    boundary: Boundary
    """The boundary as the reader reads it in the twin."""


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with its edits, all of one place."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def twin_of(question: str, thought: str, number: int, gold: str) -> Twin:
    """The twin of the context before a boundary.

    Args:
        question: of the pocket language.
        thought: the whole thought.
        number: of the boundary, from 1. It lies before the first turn, and one cause
            holds there.
        gold: the canonical number of the answer.

    Raises:
        NoTwinError: there is no unambiguous twin.
    """
    boundary = read_thought(question, thought).boundaries[number - 1]
    if boundary.turns or boundary.causes != 1:
        raise NoTwinError("not one cause before the first turn")
    before = thought[: boundary.start]
    build = {SLIP: _mended, DISTRACTOR: _used, OPEN_WORD: _closed}
    edits = build[boundary.cause.kind](question, before)
    without_cause = edited(question, [e for e in edits if e.place == QUESTION])
    text = edited(before, [e for e in edits if e.place == THOUGHT])
    text += thought[boundary.start : boundary.end]
    reading = read_thought(without_cause, text)
    if reading.unread or len(reading.boundaries) != number:
        raise NoTwinError("the reader does not read it")
    twin = reading.boundaries[-1]
    if twin.cause.kind != NONE or twin.choice != boundary.choice:
        raise NoTwinError("the reader still finds a cause")
    if boundary.cause.kind == SLIP and str(reading.values[-1]) != gold:
        raise NoTwinError("the mended value is not the answer")
    padding = [
        replace(e, text=phrases.NEUTRAL_REMARK + e.text.removeprefix(e.text.rstrip()))
        for e in edits
        if e.start == e.end
    ]
    return Twin(tuple(edits), tuple(padding), twin)


def _mended(question: str, thought: str) -> list[Edit]:
    """The false equations get their true results, and later ones follow."""
    right: dict[int, int] = {}
    others = {int(number) for number in NUMBER.findall(question)}
    edits: list[Edit] = []

    def change(match: re.Match[str], group: int, start: int, new: int) -> None:
        if int(match[group]) != new:
            first, stop = (start + at for at in match.span(group))
            edits.append(Edit(first, stop, str(new), THOUGHT))

    for start, end in sentences(thought):
        sentence = thought[start:end]
        if choice_of(sentence) == GO_ON:
            for match in NUMBER.finditer(sentence):
                number = int(match[0])
                change(match, 0, start, right.get(number, number))
            continue
        for match in EQUATION.finditer(sentence):
            left, sign, second, result = match.groups()
            operands = [right.get(int(n), int(n)) for n in (left, second)]
            new = _true_result(operands[0], sign, operands[1])
            change(match, 1, start, operands[0])
            change(match, 3, start, operands[1])
            change(match, 4, start, new)
            _remember(right, others, int(result), new)
    return edits


def _true_result(left: int, sign: str, right: int) -> int:
    try:
        return Equation(left, sign, right, 0).true_result
    except ValueError as error:
        raise NoTwinError("a mended step has no whole result") from error


def _remember(right: dict[int, int], others: set[int], old: int, new: int) -> None:
    """Note what a result becomes; refuse a number with two meanings.

    Args:
        right: what wrong numbers become.
        others: numbers that stay as they are.
        old: the result as it is stated.
        new: the result in the twin.
    """
    if right.get(old, new) != new or (old != new and old in others):
        raise NoTwinError("a wrong number has two meanings")
    if old != new:
        right[old] = new
    else:
        others.add(old)


def _used(question: str, thought: str) -> list[Edit]:
    """The derivation says that the distractor does not count."""
    distractor = read_question(question).distractor
    assert distractor is not None
    spans = sentences(thought)
    texts = [thought[start:end] for start, end in spans]
    if phrases.NEUTRAL_REMARK in texts:
        start, end = spans[texts.index(phrases.NEUTRAL_REMARK)]
        return [Edit(start, end, distractor.dismissal, THOUGHT)]
    steps = [k for k, text in enumerate(texts) if EQUATION.search(text)]
    if not steps or not steps[-1]:
        raise NoTwinError("no sentence before the last step")
    start = spans[steps[-1]].start
    separator = thought[spans[steps[-1] - 1].end : start]
    return [Edit(start, start, distractor.dismissal + separator, THOUGHT)]


def _closed(question: str, _: str) -> list[Edit]:
    """The open word becomes its closed word."""
    word = read_question(question).open_word
    assert word is not None
    return [Edit(*word.span, CLOSED_WORDS[word.word], QUESTION)]
