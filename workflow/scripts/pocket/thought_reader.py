"""Reads thoughts of the pocket language: every boundary with its cause.

The reader knows the sentences of the language. It keeps the same state as the generator
(`context.Context`), so it names the causes of a model's own thoughts as the generator
names those of its thoughts. Sentences that are not of the language are counted, not
guessed.
"""

import re
from dataclasses import dataclass

from doubletake.text.sentences import sentences
from pocket import phrases
from pocket.arithmetic import Equation
from pocket.causes import GO_ON, TURN, WRAP_UP
from pocket.context import Context
from pocket.planted_events import Boundary
from pocket.questions import OTHER_READING, Span, read_question

EQUATION = re.compile(r"(?<!\d)(\d+) ([-+*/]) (\d+) = (\d+)(?!\d)")
_WORDS = {"value": r"\d+", "unit": r"\w+"}


def _pattern(template: str, *parts: str) -> str:
    """A regular expression for the sentences of a template.

    Args:
        template: with `{}` or named places.
        parts: expressions for the places `{}`.
    """
    text = re.escape(template).replace(r"\{\}", "{}")
    for name, words in _WORDS.items():
        text = text.replace(rf"\{{{name}\}}", words)
    return text.format(*parts)


def _any(templates: list[str], *parts: str) -> re.Pattern[str]:
    """A pattern for whole sentences of any of some templates."""
    return re.compile("|".join(_pattern(template, *parts) for template in templates))


_TASK = r"\d+ [-+*/] \d+"
_DENIAL = _any([*phrases.DENIALS.values()], rf"{_TASK} = \d+")
_WHAT_ABOUT = _any([*phrases.WHAT_ABOUT.values()], r"\d+", r"\w+")
_COULD_MEAN = _any(
    [*phrases.COULD_MEAN.values()],
    "|".join(OTHER_READING).join(("(?:", ")")),
    r"[\w ]+",
)
_TURNS = (
    _DENIAL,
    _WHAT_ABOUT,
    _COULD_MEAN,
    _any([*phrases.DOUBTS.values()], _TASK),
    _any(
        [
            sentence
            for table in (
                *(phrases.MISSED_CHECKS, phrases.CHECKS, phrases.INVERSES),
                *(phrases.REORDERS, phrases.REREADS),
            )
            for sentence in table.values()
        ]
    ),
)
_GO_ON = _any([text for texts in phrases.GO_ON.values() for text in texts])
_WRAP_UP = _any([*phrases.WRAP_UPS.values()], r"\d+")
_CONCLUSION = _any([phrases.CONCLUSION], r"\d+")
_STEP = re.compile(rf"(?:[\w, ]+, so |Then )?(?P<equation>{_TASK} = \d+)(?:, yes)?\.")
_FITS = _any([phrases.FITS], rf"{_TASK} = \d+(?: and {_TASK} = \d+)*")
_DISMISSAL = re.compile(r"The (?P<number>\d+) \w+ do not count\.")
_OTHERS = (
    _any([phrases.STEP_BY_STEP, phrases.NEUTRAL_REMARK, phrases.NOT_COUNTED]),
    _any([phrases.ASKED, phrases.REREAD], r"[\w ]+"),
)
_OPENING = re.compile(r"(?:Okay, )?[\w ]+\d[\w ]*\.")


@dataclass(frozen=True)
class Reading:
    """What the reader finds in a thought."""

    boundaries: tuple[Boundary, ...]
    """All boundaries, also with sentences that are not of the language."""
    values: tuple[int, ...]
    """The value of each arrival."""
    arrival_ends: tuple[int, ...]
    """The character after the sentence of each arrival."""
    unread: int
    """Number of sentences that are not of the language."""
    other_errors: int
    """Number of false equations after the first derivation that repeat no slip. The
    language plants none of these, so they are no cause."""

    @property
    def turns(self) -> int:
        """Number of turns."""
        return sum(boundary.choice == TURN for boundary in self.boundaries)


class _Reader:
    """The state of reading a thought, sentence by sentence."""

    def __init__(self, question: str, thought: str) -> None:
        self.thought = thought
        self.context = Context(read_question(question))
        self.boundaries: list[Boundary] = []
        self.values: list[int] = []
        self.arrival_ends: list[int] = []
        self.unread = 0
        self.value: int | None = None
        """The value that the open derivation or turn has stated so far."""
        self.value_end = 0
        """The character after the sentence that stated it."""
        self.at_boundary = False
        """Whether there was a boundary and no turn and no step since."""
        self.lost = False
        """Whether the sentence at the last boundary is not of the language."""

    def read(self, span: Span) -> None:
        """Read one sentence.

        After a sentence at a boundary that is not of the language, steps may follow.
        """
        sentence = self.thought[slice(*span)]
        choice = choice_of(sentence)
        if choice is not None and (self.at_boundary or self.value is not None):
            self.read_boundary(span, sentence, choice)
            return
        closed = self.at_boundary and not self.lost
        if not closed and self.read_step(span, sentence):
            return
        self.unread += 1
        if closed or self.value is not None:
            self.read_boundary(span, sentence, None)

    def read_boundary(self, span: Span, sentence: str, choice: str | None) -> None:
        """Read the sentence at a boundary."""
        context, count = self.context, len(self.context.causes)
        word = re.split(r"[\s,]", sentence, maxsplit=1)[0]
        # A sentence that is not of the language may stand inside the derivation.
        context.derived |= choice is not None
        self.boundaries.append(
            Boundary(
                *span,
                choice,
                word,
                context.cause,
                count,
                context.turns,
                context.turn_rate,
            )
        )
        if self.value is not None:
            self.values.append(self.value)
            self.arrival_ends.append(self.value_end)
            self.value = None
        self.at_boundary, self.lost = choice != TURN, choice is None
        if choice == TURN:
            self.turn(sentence)

    def turn(self, sentence: str) -> None:
        """A sentence turns back; what it asks about is used or weighed then."""
        context = self.context
        context.turns += 1
        context.uses_distractor |= bool(_WHAT_ABOUT.fullmatch(sentence))
        context.weighed |= bool(_COULD_MEAN.fullmatch(sentence))

    def read_step(self, span: Span, sentence: str) -> bool:
        """Read a sentence of a derivation or of a turn; False if it is unknown."""
        if _STEP.fullmatch(sentence) or _FITS.fullmatch(sentence):
            for match in EQUATION.finditer(sentence):
                left, sign, right, result = match.groups()
                equation = Equation(int(left), sign, int(right), int(result))
                start, end = match.span()
                self.context.state(equation, (span[0] + start, span[0] + end))
                self.value, self.value_end = equation.result, span[1]
            return True
        if _CONCLUSION.fullmatch(sentence):
            self.value = int(sentence.split()[-1].rstrip("."))
            self.value_end = span[1]
            return True
        dismissal = _DISMISSAL.fullmatch(sentence)
        if dismissal:
            distractor = self.context.question.distractor
            named = distractor and distractor.number == int(dismissal["number"])
            self.context.uses_distractor |= bool(named)
            return True
        if not self.thought[: span[0]].strip() and _OPENING.fullmatch(sentence):
            return True
        return any(pattern.fullmatch(sentence) for pattern in _OTHERS)


def choice_of(sentence: str) -> str | None:
    """What a sentence of the language does at a boundary; None for another sentence."""
    if any(pattern.fullmatch(sentence) for pattern in _TURNS):
        return TURN
    if _WRAP_UP.fullmatch(sentence):
        return WRAP_UP
    return GO_ON if _GO_ON.fullmatch(sentence) else None


def read_thought(question: str, thought: str) -> Reading:
    """The boundaries, arrivals and unknown sentences of a thought.

    Args:
        question: of the pocket language.
        thought: any text, without the end-of-thought marker.
    """
    reader = _Reader(question, thought)
    for start, end in sentences(thought):
        reader.read((start, end))
    return Reading(
        boundaries=tuple(reader.boundaries),
        values=tuple(reader.values),
        arrival_ends=tuple(reader.arrival_ends),
        unread=reader.unread,
        other_errors=reader.context.other_errors,
    )
