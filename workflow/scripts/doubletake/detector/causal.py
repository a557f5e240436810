"""The causal detector: what a reader knows of a thought that is still being written.

The detector `rules` reads the whole thought: a value is the answer because the thought
ends with it. A rule that stops a thought cannot wait for that. The causal detector runs
`rules` on the text so far. There the last result is always "the answer", so most of its
arrivals are results on the way. An arrival counts only if one of three things shows it:

- its sentence, or a later one, gives the answer for good;
- it repeats the value of the arrival before it;
- the thought turns back after it, and there is no other arrival between.

A backtrack shows as soon as its cue words stand, else at the end of its sentence. Each
event holds how many characters show it. What follows these changes nothing.

Only the last sentences are read again, so the time is linear in the text.
"""

import re
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from doubletake.detector.backtrack_cues import turn_cue
from doubletake.detector.events import Arrival, Backtrack, Events
from doubletake.detector.rules_detector import detect
from doubletake.detector.wrap_ups import ends_thought
from doubletake.text.numerals import numerals, plain
from doubletake.text.sentences import Span, end_shows_at, sentences

# ASSUME: whether a sentence arrives or turns back shows in so many sentences before it.
WINDOW = 24  # sentences
# ASSUME: cue words that show before the end of their sentence stand at its start.
LONGEST_CUE = 60  # characters

Event = TypeVar("Event", Arrival, Backtrack)

_WORD_END = re.compile(r"\w(?=\W)")


@dataclass(frozen=True)
class Shown(Generic[Event]):
    """An event, and the text that shows it."""

    event: Event
    characters: int
    """Number of characters of the thought that show the event. One more than the
    thought has: only the end of the thought shows it."""
    cut: int
    """Where the thought can be cut then, at the end of a sentence: of the sentence
    before the cue words that show it, else of the sentence that shows it."""


@dataclass(frozen=True)
class CausalEvents:
    """Arrivals and backtracks of a thought, in the order in which they show."""

    arrivals: tuple[Shown[Arrival], ...]
    backtracks: tuple[Shown[Backtrack], ...]

    @property
    def events(self) -> Events:
        """The events without the text that shows them, e.g. to score them."""
        return Events(
            tuple(one.event for one in self.arrivals),
            tuple(one.event for one in self.backtracks),
        )


def detect_causal(question: str, thought: str) -> CausalEvents:
    """Events of a thought on a question; each is found in the text that shows it."""
    reader = _Reader(question, thought, sentences(thought))
    for index in range(len(reader.spans)):
        reader.read(index)
    return CausalEvents(tuple(reader.arrivals), tuple(reader.backtracks))


class _Reader:
    """Reads a thought sentence by sentence."""

    def __init__(self, question: str, thought: str, spans: tuple[Span, ...]) -> None:
        self.question, self.thought, self.spans = question, thought, spans
        self.arrivals: list[Shown[Arrival]] = []
        self.backtracks: list[Shown[Backtrack]] = []
        self._cut = 0

    def read(self, index: int) -> None:
        """Read one sentence: its cue words, then the whole of it."""
        span = self.spans[index]
        sentence = self.thought[slice(*span)]
        words = self._cue_end(span)
        turned = words is not None and self._look(index, words, words + 1, early=True)
        concludes = ends_thought(sentence) and any(map(str.isdigit, sentence))
        if concludes or self._repeats(sentence) or (not turned and turn_cue(sentence)):
            shown = end_shows_at(self.thought, span.end)
            self._look(index, span.end, shown, concludes=concludes, turned=turned)

    def _cue_end(self, span: Span) -> int | None:
        """The character after the first words that are a cue."""
        limit = span.start + LONGEST_CUE
        for match in _WORD_END.finditer(self.thought, span.start, limit):
            if match.end() > span.end:
                return None
            if turn_cue(self.thought[span.start : match.end()]):
                return match.end()
        return None

    def _repeats(self, sentence: str) -> bool:
        """Whether the sentence holds the value of the last arrival, after a turn."""
        return self._in_turn and any(
            number.value == self._last.value for number in numerals(plain(sentence))
        )

    @property
    def _in_turn(self) -> bool:
        """Whether the thought has turned back since the last arrival."""
        if not self.arrivals or not self.backtracks:
            return False
        return self.backtracks[-1].event.start >= self._last.end

    @property
    def _last(self) -> Arrival:
        return self.arrivals[-1].event

    def _look(
        self,
        index: int,
        end: int,
        shown: int,
        *,
        early: bool = False,
        concludes: bool = False,
        turned: bool = False,
    ) -> bool:
        """Detect events in the last sentences; whether this sentence turns back.

        Args:
            index: of the sentence.
            end: character up to which the text is read.
            shown: number of characters that show what is found.
            early: whether only the first words of the sentence are read.
            concludes: whether the sentence gives the answer for good.
            turned: whether its backtrack is known already.
        """
        start = self.spans[max(0, index - WINDOW)].start
        # The last arrival, in a sentence of its own where it lies before the window.
        before = ""
        if self.arrivals and self._last.end <= start:
            before = f"The answer is {self._last.value}.\n"
        found = detect(self.question, before + self.thought[start:end])
        found = found.shifted(start - len(before))
        first = self.spans[index].start
        self._cut = self.spans[max(0, index - 1) if early else index].end
        turns = [one for one in found.backtracks if one.start == first]
        for arrival in found.arrivals:
            if (turns or concludes) and arrival.start < first:
                self._arrive(arrival, start, shown)
        if turns and not turned:
            turn = replace(turns[0], ordinal=len(self.backtracks) + 1)
            self.backtracks.append(Shown(turn, shown, self._cut))
        for arrival in found.arrivals:
            if arrival.start >= first and self._counts_at_once(arrival, concludes):
                self._arrive(arrival, start, shown)
        return turned or bool(turns)

    def _arrive(self, arrival: Arrival, start: int, shown: int) -> None:
        """Add an arrival of the window that begins at `start`, unless it is known."""
        if arrival.start >= max(start, self._last.end if self.arrivals else 0):
            arrival = replace(arrival, ordinal=len(self.arrivals) + 1)
            self.arrivals.append(Shown(arrival, shown, self._cut))

    def _counts_at_once(self, arrival: Arrival, concludes: bool) -> bool:
        """Whether an arrival needs no turn after it."""
        if not self.arrivals or arrival.value != self._last.value:
            return concludes
        return self._in_turn  # the same value without a turn is the same arrival
