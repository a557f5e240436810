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
from doubletake.text.sentences import RunningSentences, Span, end_shows_at

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
    reader = CausalReader(question)
    reader.finish(thought)
    return CausalEvents(tuple(reader.arrivals), tuple(reader.backtracks))


class CausalReader:
    """Reads a thought that may still be being written, sentence by sentence."""

    def __init__(self, question: str) -> None:
        """Start before the first character."""
        self.question, self.thought = question, ""
        self.sentences = RunningSentences()
        self.arrivals: list[Shown[Arrival]] = []
        """Those that show so far; each shows where it did when it was added."""
        self.backtracks: list[Shown[Backtrack]] = []
        self._cut = 0
        self._read = 0  # sentences
        self._words = 0  # characters of the next one that are no cue words
        self._turned: bool | None = None
        """Whether the next one turns back by its cue words; None: no such words yet."""

    @property
    def spans(self) -> list[Span]:
        """The sentences that are known."""
        return self.sentences.spans

    def read(self, thought: str) -> None:
        """Read on: `thought` is the whole thought so far."""
        self.thought = thought
        self.sentences.read(thought)
        self._read_whole_sentences()
        self._read_words(self.sentences.start, len(thought))

    def finish(self, thought: str) -> None:
        """Read the rest of the whole thought."""
        self.thought = thought
        self.sentences.finish(thought)
        self._read_whole_sentences()

    def _read_whole_sentences(self) -> None:
        """Read the sentences that are new: their cue words, then the whole of them."""
        while self._read < len(self.spans):
            span = self.spans[self._read]
            self._read_words(*span)
            self._read_sentence(span)
            self._read += 1
            self._words, self._turned = 0, None

    def _read_words(self, start: int, end: int) -> None:
        """Read the first words of the next sentence, if they are not read yet.

        Args:
            start: of the sentence; white space may stand before it.
            end: of the sentence, or of what is written of it.
        """
        while start < end and self.thought[start].isspace():
            start += 1
        if self._turned is not None or not self._read:
            return
        words = self._cue_end(start, end)
        if words is not None:
            index = self._read
            self._turned = self._look(index, start, words, words + 1, early=True)

    def _read_sentence(self, span: Span) -> None:
        """Read a whole sentence."""
        sentence = self.thought[slice(*span)]
        concludes = ends_thought(sentence) and any(map(str.isdigit, sentence))
        turned = bool(self._turned)
        if concludes or self._repeats(sentence) or (not turned and turn_cue(sentence)):
            shown = end_shows_at(self.thought, span.end)
            self._look(
                self._read,
                span.start,
                span.end,
                shown,
                concludes=concludes,
                turned=turned,
            )

    def _cue_end(self, start: int, end: int) -> int | None:
        """The character after the first words that are a cue; None without a cue.

        Words that are found are not looked at again.
        """
        limit = min(start + LONGEST_CUE, len(self.thought))
        for match in _WORD_END.finditer(self.thought, start + self._words, limit):
            if match.end() > end:
                return None
            self._words = match.end() - start
            if turn_cue(self.thought[start : match.end()]):
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
        first: int,
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
            first: character at which it starts.
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
        self._cut = self.spans[index - early].end
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
