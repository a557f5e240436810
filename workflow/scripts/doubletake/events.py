"""The detector: arrivals, backtracks and wrap-ups of a thought, from its text alone.

Definitions: design.md's words "arrival", "backtrack", "wrap-up" and "control". The
thought is read sentence by sentence. Before the first arrival nothing is an event.
After an arrival, a sentence that turns back opens a turn; inside an open turn the first
statement of the answer's value is the next arrival. So two arrivals always have a
backtrack between them, and what restates a value with no new thinking is no event.
"""

import random
from dataclasses import dataclass, field, replace

from doubletake.answers import number_text
from doubletake.arrivals import (
    OPERAND,
    RESULT,
    Statement,
    concluded_value,
    statements,
)
from doubletake.cues import kind_of, settles, turn_cue
from doubletake.sentences import Span, sentences

LOOK_AHEAD = 120  # characters after a backtrack that help to tell its kind


@dataclass(frozen=True)
class Arrival:
    """A place where the thought states a value as the answer."""

    start: int
    end: int
    value: str
    ordinal: int
    is_gold: bool | None = None
    is_final: bool | None = None


@dataclass(frozen=True)
class Backtrack:
    """The first sentence of a turn back from an answer."""

    start: int
    end: int
    cue: str
    kind: str
    ordinal: int


@dataclass(frozen=True)
class WrapUp:
    """The sentence that leads to the end of thought after the last arrival."""

    start: int
    end: int
    cue: str
    ordinal: int = 1


@dataclass(frozen=True)
class Control:
    """A sentence matched to a backtrack, at which the model went on."""

    start: int
    end: int
    ordinal: int


@dataclass(frozen=True)
class Events:
    """What happens in one thought; places are characters of the thought."""

    arrivals: tuple[Arrival, ...] = ()
    backtracks: tuple[Backtrack, ...] = ()
    wrap_ups: tuple[WrapUp, ...] = ()


@dataclass
class _Reader:
    """The state of reading a thought."""

    value: str
    arrivals: list[Arrival] = field(default_factory=list)
    backtracks: list[Backtrack] = field(default_factory=list)
    open: bool = False
    """A turn has begun and its answer is not yet stated."""
    settled: bool = False
    """The open turn has met a verdict."""

    def arrive(self, item: Statement) -> None:
        """Record an arrival; the turn is closed."""
        numeral = item.numeral
        self.arrivals.append(
            Arrival(numeral.start, numeral.end, numeral.value, len(self.arrivals) + 1)
        )
        self.open = self.settled = False

    def turn(self, thought: str, span: Span) -> bool:
        """Record a backtrack if the sentence turns back here."""
        cue = turn_cue(thought[span.start : span.end])
        if cue is None or (self.open and not (self.settled or cue.fresh)):
            return False
        sentence = thought[span.start : span.end]
        kind = kind_of(cue, sentence, thought[span.end : span.end + LOOK_AHEAD])
        self.backtracks.append(
            Backtrack(*span, cue.text, kind, len(self.backtracks) + 1)
        )
        self.open, self.settled = True, False
        return True


def detect(question: str, thought: str) -> Events:
    """Arrivals, backtracks and wrap-ups of `thought`, a thought on `question`."""
    spans = sentences(thought)
    found = statements(thought, spans)
    value = concluded_value(thought, spans, found)
    if value is None:
        return Events()
    by_sentence: dict[int, list[Statement]] = {}
    for item in found:
        if item.numeral.value == value and item.role != OPERAND:
            by_sentence.setdefault(item.sentence, []).append(item)
    reader = _Reader(value)
    for index, span in enumerate(spans):
        _read(reader, thought, span, by_sentence.get(index, []))
    return wrap_ups(thought, Events(tuple(reader.arrivals), tuple(reader.backtracks)))


def _read(reader: _Reader, thought: str, span: Span, stated: list[Statement]) -> None:
    """Read one sentence; `stated` are its statements of the answer's value."""
    turned = bool(reader.arrivals) and reader.turn(thought, span)
    if not reader.arrivals or turned:
        stated = [item for item in stated if item.role == RESULT]
    if stated and (reader.open or not reader.arrivals):
        reader.arrive(stated[0])
    elif reader.open and not turned and settles(thought[span.start : span.end]):
        reader.settled = True


def wrap_ups(thought: str, events: Events) -> Events:
    """`events` with its wrap-up: the first sentence after the last arrival and turn."""
    if not events.arrivals:
        return events
    after = max(item.end for item in (*events.arrivals, *events.backtracks))
    span = next((span for span in sentences(thought) if span.start >= after), None)
    if span is None:
        return events
    words = thought[span.start : span.end].split(maxsplit=2)
    cue = " ".join(words[:2])[:40].rstrip(",.:")
    return replace(events, wrap_ups=(WrapUp(*span, cue),))


def with_flags(events: Events, gold: str | None, answer: str | None) -> Events:
    """`events` with `is_gold` and `is_final` set; None where there is no reference."""

    def flag(value: str, reference: str | None) -> bool | None:
        return (
            None
            if reference is None
            else value == (number_text(reference) or reference)
        )

    return replace(
        events,
        arrivals=tuple(
            replace(
                item,
                is_gold=flag(item.value, gold),
                is_final=flag(item.value, answer),
            )
            for item in events.arrivals
        ),
    )


def controls(thought: str, events: Events, seed: int | str) -> tuple[Control, ...]:
    """Sentences matched to the backtracks, by place, where the thought goes on.

    For each backtrack the nearest unused sentence starts in relative depth are the
    candidates, one of the nearest three is drawn. Fewer than the backtracks if the
    thought has too few other sentences.
    """
    taken = {item.start for item in (*events.backtracks, *events.wrap_ups)}
    free = [
        span
        for span in sentences(thought)
        if span.start not in taken and turn_cue(thought[span.start : span.end]) is None
    ]
    draw = random.Random(seed)
    chosen: list[Span] = []
    for backtrack in events.backtracks:
        near = sorted(free, key=lambda span: abs(span.start - backtrack.start))[:3]
        if near:
            chosen.append(draw.choice(near))
            free.remove(chosen[-1])
    return tuple(
        Control(*span, ordinal) for ordinal, span in enumerate(sorted(chosen), start=1)
    )
