"""Marks of a thought that make a trial point, as its text shows them one by one."""

from collections.abc import Iterator
from typing import NamedTuple

from doubletake.detector.causal import CausalReader
from doubletake.exit_rules.points import ARRIVAL, CUE, PARAGRAPH, SENTENCE
from doubletake.text.sentences import end_shows_at


class TextMark(NamedTuple):
    """Something in a thought that makes a point."""

    cut: int
    """Number of characters before the point."""
    shown: int
    """Number of characters that show it. One more than the thought has: only the end of
    the thought shows it."""
    kind: str
    """Of `points.KINDS`."""
    value: str | None = None
    """Value of an arrival."""


class TextMarks:
    """Reads a thought that may still be being written, and gives its marks.

    A thought that is read at once and one that is read piece by piece give the same
    marks, each with the piece that shows it.
    """

    def __init__(self, question: str) -> None:
        """Start before the first character of a thought on this question."""
        self._reader = CausalReader(question)
        self._ends = self._cues = self._arrivals = 0  # given so far

    def read(self, thought: str) -> list[TextMark]:
        """The marks that are new; `thought` is the whole thought so far."""
        self._reader.read(thought)
        marks = list(self._sentence_marks(thought, len(self._reader.spans)))
        return marks + list(self._event_marks())

    def finish(self, thought: str, *, closed: bool) -> list[TextMark]:
        """The marks that are new when the thought ends.

        Args:
            thought: the whole thought.
            closed: whether it was closed, and not cut off inside its last sentence.
        """
        self._reader.finish(thought)
        spans = self._reader.spans
        ends = len(spans)
        # Cut off inside its last sentence, unless the end of that has shown before.
        if not closed and ends > self._ends:
            ends -= 1
        marks = list(self._sentence_marks(thought, ends))
        return marks + list(self._event_marks())

    def _sentence_marks(self, thought: str, count: int) -> Iterator[TextMark]:
        """Ends of sentences and paragraphs that are new, of the first sentences."""
        for span in self._reader.spans[self._ends : count]:
            shown = end_shows_at(thought, span.end)
            yield TextMark(span.end, shown, SENTENCE)
            goes_on = shown <= len(thought)
            if goes_on and thought.count("\n", span.end, shown - 1) > 1:
                yield TextMark(span.end, shown, PARAGRAPH)
        self._ends = max(self._ends, count)

    def _event_marks(self) -> Iterator[TextMark]:
        """Backtrack cues and arrivals that are new."""
        cues, arrivals = self._reader.backtracks, self._reader.arrivals
        for cue in cues[self._cues :]:
            yield TextMark(cue.cut, cue.characters, CUE)
        for arrival in arrivals[self._arrivals :]:
            value = arrival.event.value
            yield TextMark(arrival.cut, arrival.characters, ARRIVAL, value)
        self._cues, self._arrivals = len(cues), len(arrivals)
