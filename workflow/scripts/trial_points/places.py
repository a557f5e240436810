"""Where the trial points of a thought lie, and what is known at each of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from doubletake.detector.causal import CausalEvents, Shown, detect_causal
from doubletake.text.sentences import end_shows_at, sentences
from doubletake.text.trace_positions import thought_span, thought_tokens
from trial_points.tables import ARRIVAL, CUE, END, EVERY, PARAGRAPH, SENTENCE


@dataclass(frozen=True)
class Place:
    """A cut of a trace's own tokens."""

    cut: int
    """Number of tokens of prompt and completion before it."""
    read: int
    """Number of these tokens that must be read to know what is known here."""
    kinds: frozenset[str] = frozenset()
    """Of `tables.KINDS`; empty before the thought."""
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


class ThoughtPlaces:
    """Turns characters of a trace's thought into tokens of the trace."""

    def __init__(self, trace: dict[str, Any], stop_ids: Collection[int]) -> None:
        """Find the tokens of the thought.

        Args:
            trace: a row of `TRACES`.
            stop_ids: tokens that end a completion.
        """
        self.trace, self.span = trace, thought_span(trace)
        self.text = trace["text"]
        self.thought = self.text[slice(*self.span)]
        completion = trace["completion_ids"]
        self.closed = trace["thought_end"] is not None
        self.limit = len(trace["prompt_ids"]) + len(completion)
        if not self.closed and completion and completion[-1] in stop_ids:
            self.limit -= 1  # a model reads nothing after the token that ends its text
        self.first = min(thought_tokens(trace)[0], self.limit)
        self.last = self._tokens(self.span.end)
        """The cut at the end of the thought."""
        self.all_read = trace["thought_end"] + 1 if self.closed else self.limit

    def _tokens(self, character: int) -> int:
        """Tokens of the trace that hold the first characters of the text."""
        tokens = bisect_left(self.trace["offsets"], character)
        tokens += len(self.trace["prompt_ids"])
        return max(self.first, min(tokens, self.limit))

    def cut(self, character: int) -> int:
        """The cut after so many characters of the thought; no token is split."""
        return min(self._tokens(self.span.start + character), self.last)

    def read(self, characters: int) -> int:
        """Tokens that must be read to know so many characters of the thought."""
        if characters > len(self.thought):
            return self.all_read
        return max(self.first, self._tokens(self.span.start + characters))

    def marks(self, every: int) -> Iterator[Mark]:
        """Ends of sentences and paragraphs, every n-th token, and the end.

        Args:
            every: distance of the points of the kind `EVERY`.
        """
        spans = sentences(self.thought)
        for number, span in enumerate(spans):
            is_last = number == len(spans) - 1
            if is_last and not self.closed:
                continue  # cut off inside the sentence
            after = len(self.thought) if is_last else spans[number + 1].start
            cut = self.cut(span.end)
            read = self.read(end_shows_at(self.thought, span.end))
            yield Mark(cut, read, SENTENCE)
            if not is_last and self.thought.count("\n", span.end, after) > 1:
                yield Mark(cut, read, PARAGRAPH)
        for cut in range(self.first + every, self.last + 1, every):
            yield Mark(cut, self._read_of_cut(cut), EVERY)
        yield Mark(self.last, self.all_read, END)

    def _read_of_cut(self, cut: int) -> int:
        """The cut; after white space, also the token that shows what it separates."""
        offsets = [*self.trace["offsets"], len(self.text)]
        character = offsets[cut - len(self.trace["prompt_ids"])] - self.span.start
        if character > 0 and self.thought[character - 1].isspace():
            return self.read(end_shows_at(self.thought, character))
        return cut

    def event_marks(self, events: CausalEvents) -> Iterator[Mark]:
        """Backtrack cues and arrivals."""
        for kind, found in ((CUE, events.backtracks), (ARRIVAL, events.arrivals)):
            for one in found:
                yield Mark(self.cut(one.cut), self.read(one.characters), kind)


def places_of(
    places: ThoughtPlaces, question: str, kinds: Collection[str], every: int
) -> list[Place]:
    """All points of a thought, in order: its start, those of these kinds, its end.

    A cue's point lies before its words. If another point lies among these words, it is
    decided before the cue is known, so the cue's point then lies after its words.

    Args:
        places: of the trace.
        question: of its problem.
        kinds: the kinds of points, start and end left aside.
        every: distance of the points of the kind `EVERY`, in tokens.
    """
    events = detect_causal(question, places.thought)
    chosen = {*kinds, END}
    marks = sorted(mark for mark in places.marks(every) if mark.kind in chosen)
    cuts = [mark.cut for mark in marks]
    for mark in places.event_marks(events):
        if mark.kind in chosen:
            following = bisect_right(cuts, mark.cut)
            passed = following < len(cuts) and marks[following].read < mark.read
            marks.append(mark._replace(cut=mark.read) if passed else mark)
    found = {places.first: Place(places.first, places.first)}
    for cut, read, kind in marks:
        place = found.get(cut, Place(cut, cut))
        kinds_there = place.kinds | {kind}
        found[cut] = replace(place, read=max(place.read, read), kinds=kinds_there)
    return [_with_events(found[cut], events, places) for cut in sorted(found)]


def _with_events(place: Place, events: CausalEvents, places: ThoughtPlaces) -> Place:
    """The place with the events that are known there."""

    def known(found: tuple[Shown, ...]) -> int:
        return sum(places.read(one.characters) <= place.read for one in found)

    arrivals = known(events.arrivals)
    return replace(
        place,
        arrivals=arrivals,
        cues=known(events.backtracks),
        value=events.arrivals[arrivals - 1].event.value if arrivals else None,
    )


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
