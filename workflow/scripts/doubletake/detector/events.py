"""The detector: arrivals, backtracks and wrap-ups of a thought, from its text alone.

Definitions: design.md's words "arrival", "backtrack", "wrap-up" and "control". The
thought is read sentence by sentence. Before the first arrival nothing is an event.
After an arrival, a sentence that turns back opens a turn; inside an open turn the first
statement of the answer's value is the next arrival. So two arrivals always have a
backtrack between them, and what restates a value with no new thinking is no event.
"""

import random
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Any

from doubletake.detector.arrivals import (
    answer_statements,
    is_conclusion,
    is_work,
    is_worked_out,
)
from doubletake.detector.asked import what_is_asked
from doubletake.detector.cues import Cue, agrees, is_guess, kind_of, settles, turn_cue
from doubletake.detector.statements import (
    COMMITTED,
    MENTION,
    RESULT,
    Numbers,
    Statement,
)
from doubletake.text.answers import number_text
from doubletake.text.sentences import Span, sentences

MATCHES = 3  # nearest sentences of which one becomes a control
LOOK_AHEAD = 120  # characters after "I don't see a mistake" that may compute again


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

    def behind(self, characters: int) -> "Events":
        """The same events in a text with so many characters before the thought."""

        def moved(event: Any) -> Any:
            start, end = event.start + characters, event.end + characters
            return replace(event, start=start, end=end)

        parts = (self.arrivals, self.backtracks, self.wrap_ups)
        return Events(*(tuple(map(moved, part)) for part in parts))


@dataclass
class _Reader:
    """The state of reading a thought, sentence by sentence."""

    thought: str
    spans: tuple[Span, ...]
    arrivals: list[Arrival] = field(default_factory=list)
    backtracks: list[Backtrack] = field(default_factory=list)
    open: bool = False
    """A turn has begun and its answer is not yet stated."""
    settled: bool = False
    """The open turn has met a verdict."""
    worked: int = 0
    """Sentences of the open turn that are no cue themselves."""

    def read(self, index: int, stated: list[Statement]) -> None:
        """Read one sentence; `stated` are its statements of an answer's value."""
        sentence = self.thought[slice(*self.spans[index])]
        cue = turn_cue(sentence) if self.arrivals else None
        turned = cue is not None and self.turns(cue, index)
        if cue is not None and turned:
            self.turn(cue, index)
        arrived = self.arrive(stated, turned, sentence)
        if self.open and not turned and not arrived:
            self.worked += cue is None and is_work(sentence)
            self.settled = self.settled or settles(sentence)

    def turns(self, cue: Cue, index: int) -> bool:
        """Whether a cue opens a turn here."""
        if cue.group == "confidence":
            after = self.spans[index].end
            return is_worked_out(self.thought[after : after + LOOK_AHEAD])
        if not self.open or self.settled:
            return not (cue.group == "doubt" and self.is_guess(index))
        if cue.group == "another":
            return self.worked > 1
        return cue.fresh and self.worked > 0

    def is_guess(self, index: int) -> bool:
        """Whether a sentence guesses and the next agrees ("Maybe so? Yeah.")."""
        after = self.spans[index + 1 : index + 2]
        if not after:
            return False
        return is_guess(self.thought[slice(*self.spans[index])]) and agrees(
            self.thought[slice(*after[0])]
        )

    def turn(self, cue: Cue, index: int) -> None:
        """Record a backtrack."""
        span = self.spans[index]
        after = self.spans[index + 1 : index + 2]
        following = self.thought[slice(*after[0])] if after else ""
        kind = kind_of(cue, self.thought[slice(*span)], following)
        ordinal = len(self.backtracks) + 1
        self.backtracks.append(Backtrack(*span, cue.text, kind, ordinal))
        self.open, self.settled, self.worked = True, False, 0

    def arrive(self, stated: list[Statement], turned: bool, sentence: str) -> bool:
        """Record an arrival if the sentence makes one."""
        if self.arrivals and not self.open:
            last = self.arrivals[-1].value
            stated = [
                item
                for item in stated
                if item.role == COMMITTED and item.numeral.value != last
            ]
        elif turned:
            stated = [
                item
                for item in stated
                if item.role in (RESULT, COMMITTED) and item.derived
            ]
        elif self.arrivals:
            concludes = is_conclusion(sentence)
            stated = [item for item in stated if item.role != MENTION or concludes]
        else:
            concludes = is_conclusion(sentence)
            stated = [
                item
                for item in stated
                if item.role != MENTION or item.derived or concludes
            ]
        if stated:
            start, end, value, _ = stated[0].numeral
            self.arrivals.append(Arrival(start, end, value, len(self.arrivals) + 1))
            self.open = self.settled = False
        return bool(stated)


def detect(question: str, thought: str) -> Events:
    """Arrivals, backtracks and wrap-ups of `thought`, a thought on `question`."""
    spans = sentences(thought)
    numbers = Numbers(thought, spans, what_is_asked(question))
    stated: dict[int, list[Statement]] = {}
    for item in answer_statements(thought, numbers):
        stated.setdefault(item.sentence, []).append(item)
    reader = _Reader(thought, spans)
    if stated:
        for index in range(len(spans)):
            reader.read(index, stated.get(index, []))
    return wrap_ups(thought, Events(tuple(reader.arrivals), tuple(reader.backtracks)))


def wrap_ups(thought: str, events: Events) -> Events:
    """`events` with its wrap-up, if the thought goes on after its last event.

    The sentence that begins the first line after the last arrival; where a turn after
    it states no answer any more, the first line that concludes, else the last line.
    """
    if not events.arrivals:
        return events
    after, turned = events.arrivals[-1].end, False
    if events.backtracks and events.backtracks[-1].start > after:
        after, turned = events.backtracks[-1].end, True
    spans = sentences(thought)
    lines = [
        span
        for span in spans[bisect_left(spans, (after,)) :]
        if _starts_line(thought, span.start)
    ]
    if turned:
        ends = [span for span in lines if is_conclusion(thought[slice(*span)])]
        lines = ends or lines[-1:]
    if not lines:
        return events
    words = thought[slice(*lines[0])].split(maxsplit=2)
    cue = " ".join(words[:2])[:40].rstrip(",.:")
    return replace(events, wrap_ups=(WrapUp(*lines[0], cue),))


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


def controls(thought: str, events: Events, draw: random.Random) -> tuple[Control, ...]:
    """Sentences matched to the backtracks, by place, where the thought goes on.

    For each backtrack one of the nearest free sentences of the same kind of place (at
    the start of a line, or inside one; of the other kind where none is left) is drawn.
    Fewer than the backtracks if the thought has too few other sentences.
    """
    taken = {item.start for item in events.backtracks}
    taken |= {item.start for item in events.wrap_ups}
    free: dict[bool, list[Span]] = {True: [], False: []}
    for span in sentences(thought) if events.backtracks else ():
        if span.start not in taken and turn_cue(thought[slice(*span)]) is None:
            free[_starts_line(thought, span.start)].append(span)
    chosen: list[Span] = []
    for backtrack in events.backtracks:
        like = _starts_line(thought, backtrack.start)
        spans = free[like] or free[not like]
        if spans:
            place = draw.choice(_nearest(spans, backtrack.start))
            chosen.append(spans.pop(place))
    return tuple(
        Control(*span, ordinal) for ordinal, span in enumerate(sorted(chosen), start=1)
    )


def _starts_line(thought: str, start: int) -> bool:
    """Whether a line or the thought starts at this place, spaces left aside."""
    while start and thought[start - 1] in " \t":
        start -= 1
    return start == 0 or thought[start - 1] in "\r\n"


def _nearest(spans: list[Span], start: int) -> list[int]:
    """Places in `spans`, which are in order, of those that start nearest."""
    place = bisect_left(spans, (start,))
    around = range(max(0, place - MATCHES), min(len(spans), place + MATCHES))
    return sorted(around, key=lambda i: (abs(spans[i].start - start), i))[:MATCHES]
