"""The changes at a place of a thought: what each kind writes there instead."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from doubletake.detector.asked_quantity import read_question
from doubletake.stats.draws import generator
from doubletake.text.equations import Equation
from doubletake.text.numerals import fraction_text, numerals
from doubletake.text.sentences import Span
from mistakes import names
from mistakes.paraphrases import paraphrase
from mistakes.sites import Site, Thought
from mistakes.targets import Target
from mistakes.wrong_numbers import as_written, wrong_number
from truth.reading import language_slips

UNIT = re.compile(
    r"(?<![\d.,$])(?P<number>\d[\d,]*) (?:[a-z]+ )?(?P<noun>[a-z]{2,}s)\b"
)
"""A number, perhaps an adjective, and a noun in the plural."""


@dataclass(frozen=True)
class Change:
    """A change of a thought; characters are those of the trace's text."""

    place: str
    kind: str
    sentence: Span
    span: Span
    """What is replaced; empty: nothing."""
    text: str
    """What stands there instead."""
    appended: str
    """What follows the sentence."""
    target: Target
    """The right statement at this place."""


@dataclass(frozen=True)
class Wording:
    """What the config and the study say of texts."""

    seed: int
    filler: str
    """The neutral sentence after a step."""
    filler_at_answer: str
    """The same after a sentence that states an answer."""
    word: str
    """What `wait` appends."""
    nouns: Sequence[str]
    """Nouns that stand after numbers in the questions of the study."""
    planted: bool
    """Whether the thoughts are of the planted language."""


def nouns_of(questions: Sequence[str]) -> list[str]:
    """Nouns in the plural that stand after numbers, sorted."""
    return sorted({m["noun"] for one in questions for m in UNIT.finditer(one)})


def change_at(
    thought: Thought, site: Site, kind: str, wording: Wording
) -> Change | None:
    """A change of a kind at a place; None if the sentence has nothing to change so."""
    nothing = Span(site.sentence.end, site.sentence.end)
    target = target_of(thought, site)
    if kind in (names.NONE, names.OWN):
        return Change(site.place, kind, site.sentence, nothing, "", "", target)
    if kind == names.FILLER:
        more = wording.filler_at_answer if site.arrives else wording.filler
        return Change(site.place, kind, site.sentence, nothing, "", more, target)
    if kind == names.PARAPHRASE:
        found = paraphrase(
            thought.text, site.sentence, site.equation, site.answer, wording.planted
        )
    else:
        found = MADE[kind](thought, site, wording)
    if found is None:
        return None
    span, text = found
    if kind == names.UNIT:
        target = Target(phrase=thought.text[slice(*span)])
        span, text = _without_number(thought.text, span, text)
    appended = wording.word if kind == names.WAIT else ""
    return Change(site.place, kind, site.sentence, span, text, appended, target)


def target_of(thought: Thought, site: Site) -> Target:
    """The right statement: the equation, or else the final answer."""
    if site.answer is None and site.equation is not None:
        return Target(task=site.equation.task)
    assert site.answer is not None
    (number, *_) = [*numerals(thought.text[slice(*site.answer)]), None]
    value = number.value if number else thought.text[slice(*site.answer)]
    return Target(value=value)


Found = tuple[Span, str] | None


def _result(thought: Thought, site: Site, wording: Wording) -> Found:
    """Another result of the equation."""
    e = site.equation
    if e is None or site.answer is not None:
        return None
    written = thought.text[slice(*e.result)]
    if e.value < 0:
        return None
    name = f"{thought.name}/{site.place}/result"
    new = wrong_number(written, name, wording.seed, _refused(thought, e))
    return None if new is None else (e.result, new)


def _refused(thought: Thought, e: Equation) -> set[Fraction]:
    """Numbers that would be no plain mistake: the right result, the reference."""
    gold = next(numerals(thought.drawn.gold), None)
    found = {e.value, e.right_value}
    if gold is not None and "/" not in gold.value and ":" not in gold.value:
        found.add(Fraction(gold.value))
    return found


def _opposite(thought: Thought, site: Site, _: Wording) -> Found:
    """The result of the opposite operation: 38 + 13 is taken for 25."""
    e = site.equation
    if e is None or site.answer is not None or e.sign not in "+-" or e.value < 0:
        return None
    left, sign, right = e.task
    value = left - right if sign == "+" else left + right
    new = as_written(value, thought.text[slice(*e.result)]) if value > 0 else None
    if new is None or value in _refused(thought, e):
        return None
    return e.result, new


def _operand(thought: Thought, site: Site, wording: Wording) -> Found:
    """Another number in place of one that was copied from the question."""
    e = site.equation
    if e is None or site.answer is not None:
        return None
    given = read_question(thought.drawn.question).given_numbers
    name = f"{thought.name}/{site.place}/operand"
    sides = [
        (span, value)
        for span, value in ((e.left, e.task[0]), (e.right, e.task[2]))
        if fraction_text(value) in given
    ]
    if not sides:
        return None
    span, value = generator(f"mistakes/{wording.seed}", name, "side").choice(sides)
    new = wrong_number(thought.text[slice(*span)], name, wording.seed, {value})
    if new is None:
        return None
    if _is_true(e, Fraction(new.replace(",", "")), first=span == e.left):
        return None  # a factor of 0, or a rounded result
    return span, new


def _is_true(e: Equation, new: Fraction, *, first: bool) -> bool:
    left, sign, right = e.task
    left, right = (new, right) if first else (left, new)
    if sign == "/":
        return right != 0 and left / right == e.value
    made = {"+": left + right, "-": left - right, "*": left * right}
    return made[sign] == e.value


def _answer(thought: Thought, site: Site, wording: Wording) -> Found:
    """Another number in place of the final answer."""
    if site.answer is None:
        return None
    text = thought.text[slice(*site.answer)]
    match = re.search(r"\d[\d,]*(?:\.\d+)?", text)
    if match is None or not re.fullmatch(r"[^\d/:]*\d[\d,]*(?:\.\d+)?[^\d/:]*", text):
        return None
    span = Span(*(site.answer.start + k for k in match.span()))
    written = match[0]
    name = f"{thought.name}/{site.place}/answer"
    value = Fraction(written.replace(",", ""))
    new = wrong_number(written, name, wording.seed, {value})
    return None if new is None else (span, new)


def _unit(thought: Thought, site: Site, wording: Wording) -> Found:
    """Another noun after the last number that has one."""
    sentence = thought.text[slice(*site.sentence)]
    found = [
        match for match in UNIT.finditer(sentence) if match["noun"] in wording.nouns
    ]
    if not found:
        return None
    match = found[-1]
    whole = thought.drawn.question + thought.text
    others = [noun for noun in wording.nouns if noun not in whole]
    if not others:
        return None
    name = f"{thought.name}/{site.place}/unit"
    noun = generator(f"mistakes/{wording.seed}", name).choice(others)
    start = site.sentence.start
    before = match[0][: match.start("noun") - match.start()]
    return Span(start + match.start(), start + match.end()), before + noun


def _without_number(text: str, span: Span, new: str) -> tuple[Span, str]:
    """Leave out what a change has in common with the text at its start."""
    old = text[slice(*span)]
    cut = old.rindex(" ") + 1
    return Span(span.start + cut, span.end), new[cut:]


def _mended(thought: Thought, site: Site, _: Wording) -> Found:
    """The right result of the thought's own false equation."""
    e = site.equation
    if e is None or e.is_true or e.value < 0:
        return None
    new = as_written(e.right_value, thought.text[slice(*e.result)])
    return None if new is None else (e.result, new)


def _planted(thought: Thought, site: Site, wording: Wording) -> Found:
    """The slip that the planted language would write there."""
    e = site.equation
    if e is None or not wording.planted:
        return None
    slips = language_slips(thought.drawn.question, thought.drawn.trace)
    new = slips.get(e.result.start)
    return None if new is None else (e.result, new)


MADE: dict[str, Callable[[Thought, Site, Wording], Found]] = {
    names.RESULT: _result,
    names.WAIT: _result,
    names.EXTERNAL: _result,
    names.OPPOSITE: _opposite,
    names.OPERAND: _operand,
    names.ANSWER: _answer,
    names.UNIT: _unit,
    names.PLANTED: _planted,
    names.MENDED: _mended,
}
"""By kind: what is replaced, and by which text."""
