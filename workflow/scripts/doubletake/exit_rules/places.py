"""Where the trial points of a thought lie, and what is known at each of them."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from doubletake.exit_rules.points import ARRIVAL, CUE, END, EVERY
from doubletake.exit_rules.text_marks import TextMark, TextMarks
from doubletake.text.thought_format import goes_on_at
from doubletake.text.trace_positions import thought_span, thought_tokens


@dataclass(frozen=True)
class Place:
    """A cut of a trace's own tokens."""

    cut: int
    """Number of tokens of prompt and completion before it."""
    read: int
    """Number of these tokens that must be read to know what is known here."""
    kinds: frozenset[str] = frozenset()
    """Of `points.KINDS`; empty before the thought."""
    arrivals: int = 0
    """Number of arrivals that are known."""
    cues: int = 0
    """Number of backtracks that are known."""
    value: str | None = None
    """Value of the last of these arrivals."""


class Mark(NamedTuple):
    """Something that makes a point."""

    cut: int
    read: int
    kind: str
    value: str | None = None
    """Value of an arrival."""


class KnownPlaces:
    """The places of a thought that are known, mark by mark.

    A cue's point lies before its words. If another point lies among these words, it is
    decided before the cue is known, so the cue's point then lies after its words.
    """

    def __init__(self, first: int, kinds: Collection[str]) -> None:
        """Start with the place before the thought.

        Args:
            first: the first token of the thought.
            kinds: the kinds of places, start and end left aside.
        """
        self.places = {first: Place(first, first)}
        """By cut."""
        self._chosen = {*kinds, END}
        self._last = first  # cut of the last place that no event makes
        self._cues = self._arrivals = 0
        self._value: str | None = None

    def add(self, read: int, marks: Sequence[Mark]) -> list[Place]:
        """Add what shows after so many tokens; the places that are new or changed.

        Args:
            read: number of tokens of prompt and completion.
            marks: those that show with the last of these tokens.
        """
        found = [mark for mark in marks if mark.kind in (CUE, ARRIVAL)]
        others = [mark for mark in marks if mark.kind not in (CUE, ARRIVAL)]
        self._cues += sum(mark.kind == CUE for mark in found)
        values = [mark.value for mark in found if mark.kind == ARRIVAL]
        self._arrivals += len(values)
        self._value = [self._value, *values][-1]
        passed = self._last
        cuts = set()
        for mark in (*others, *found):
            if mark.kind not in self._chosen:
                continue
            cut = mark.cut
            if mark.kind in (CUE, ARRIVAL):
                cut = read if passed > cut else cut
            else:
                self._last = max(self._last, cut)
            kinds = self.places.get(cut, Place(cut, cut)).kinds | {mark.kind}
            self.places[cut] = Place(
                cut, read, kinds, self._arrivals, self._cues, self._value
            )
            cuts.add(cut)
        return [self.places[cut] for cut in sorted(cuts)]


class ThoughtPlaces:
    """Turns characters of a trace's thought into tokens of the trace."""

    def __init__(
        self,
        trace: dict[str, Any],
        stop_ids: Collection[int],
        end_marker: str,
        *,
        goes_on: bool = False,
    ) -> None:
        """Find the tokens of the thought.

        Args:
            trace: a row of `TRACES`.
            stop_ids: tokens that end a completion.
            end_marker: the end-of-thought marker.
            goes_on: whether the thought is still being written, so that its end is not
                known after the last of these tokens.
        """
        self.trace, self.span = trace, thought_span(trace)
        self.text, self.end_marker = trace["text"], end_marker
        self.thought = self.text[slice(*self.span)]
        completion = trace["completion_ids"]
        self.closed = trace["thought_end"] is not None
        self.limit = len(trace["prompt_ids"]) + len(completion)
        if not self.closed and completion and completion[-1] in stop_ids:
            self.limit -= 1  # a model reads nothing after the token that ends its text
        self.first = min(thought_tokens(trace)[0], self.limit)
        self.last = self._tokens(self.span.end)
        """The cut at the end of the thought."""
        self.all_read = self.limit + 1 if goes_on else self._read_to_the_end()

    def _tokens(self, character: int) -> int:
        """Tokens of the trace that hold the first characters of the text."""
        tokens = bisect_left(self.trace["offsets"], character)
        tokens += len(self.trace["prompt_ids"])
        return max(self.first, min(tokens, self.limit))

    def _read_to_the_end(self) -> int:
        """Tokens that must be read to know that the thought has ended."""
        if not self.closed:
            return self.limit
        marker = bisect_left(self.trace["offsets"], self.trace["answer_start"])
        marker += len(self.trace["prompt_ids"])
        return max(marker, self.trace["thought_end"] + 1)

    def cut(self, character: int) -> int:
        """The cut after so many characters of the thought; no token is split."""
        return min(self._tokens(self.span.start + character), self.last)

    def read(self, characters: int) -> int:
        """Tokens that must be read to know so many characters of the thought."""
        if characters > len(self.thought):
            return self.all_read
        return max(self.first, self._tokens(self.span.start + characters))

    def mark(self, mark: TextMark) -> Mark:
        """A mark of the text, in tokens."""
        return Mark(self.cut(mark.cut), self.read(mark.shown), mark.kind, mark.value)

    def every(self, every: int, after: int = 0) -> Iterator[Mark]:
        """Every n-th token of the thought.

        Args:
            every: distance of the points of the kind `EVERY`.
            after: number of these points that are left out at the start.
        """
        for cut in range(self.first + (after + 1) * every, self.last + 1, every):
            yield Mark(cut, self._read_of_cut(cut), EVERY)

    @property
    def end(self) -> Mark:
        """The end of the thought."""
        return Mark(self.last, self.all_read, END)

    def _read_of_cut(self, cut: int) -> int:
        """The cut; where the end marker may follow, also what shows that it does not.

        It may follow after white space, which then is no part of the thought.
        """
        offsets, index = self.trace["offsets"], cut - len(self.trace["prompt_ids"])
        start = offsets[index] if index < len(offsets) else len(self.text)
        character = start - self.span.start
        shown = goes_on_at(self.thought, character, self.end_marker)
        return cut if shown == character else self.read(shown)


def places_of(
    places: ThoughtPlaces, question: str, kinds: Collection[str], every: int
) -> list[Place]:
    """All points of a thought, in order: its start, those of these kinds, its end.

    Args:
        places: of the trace.
        question: of its problem.
        kinds: the kinds of points, start and end left aside.
        every: distance of the points of the kind `EVERY`, in tokens.
    """
    text_marks = TextMarks(question).finish(places.thought, closed=places.closed)
    marks = [*map(places.mark, text_marks), *places.every(every), places.end]
    marks.sort(key=attrgetter("read"))
    known = KnownPlaces(places.first, kinds)
    for read, its in groupby(marks, key=attrgetter("read")):
        known.add(read, list(its))
    return [known.places[cut] for cut in sorted(known.places)]


def limited(places: list[Place], most: int | None) -> list[Place]:
    """The first and the last place, and places at even distances in the list between.

    Args:
        places: of one thought.
        most: number of places that are kept, at least 2; None: all.
    """
    if most is None or len(places) <= most:
        return places
    step = (len(places) - 1) / (most - 1)
    return [places[round(number * step)] for number in range(most)]
