"""Trial points of a thought that is still being written, each as soon as it shows."""

from collections.abc import Collection, Sequence
from typing import Any

from doubletake.exit_rules.places import KnownPlaces, Mark, Place, ThoughtPlaces
from doubletake.exit_rules.text_marks import TextMarks
from doubletake.text.running_text import RunningText
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import text_between, thought_tokens, token_at


class RunningPlaces:
    """Finds the points of a thought while its tokens come in.

    The points are those that `places_of` finds in the finished thought. A place whose
    kinds show one after the other is given again with each of them.
    """

    def __init__(
        self,
        tokenizer: TraceTokenizer,
        prompt_ids: Sequence[int],
        question: str,
        kinds: Collection[str],
        every: int,
    ) -> None:
        """Start after the prompt.

        Args:
            tokenizer: of the model.
            prompt_ids: tokens of the prompt.
            question: of the problem.
            kinds: the kinds of points, start and end left aside.
            every: distance of the points of the kind `EVERY`, in tokens.
        """
        self.tokenizer, self.prompt_ids = tokenizer, prompt_ids
        self.kinds, self.every = kinds, every
        self.completion = RunningText(tokenizer)
        self.ended = False
        """Whether the thought has ended."""
        self.end: int | None = None
        """The token after its last, once it has ended."""
        self._marks = TextMarks(question)
        self._known = KnownPlaces(len(prompt_ids), kinds)
        self._start: int | None = None  # of the thought, in characters
        self._every_given = 0

    @property
    def first(self) -> int:
        """Tokens before the thought; those of the prompt until it has begun."""
        return min(self._known.places)

    @property
    def tokens(self) -> int:
        """Tokens of prompt and completion so far."""
        return len(self.prompt_ids) + len(self.completion.ids)

    def text_between(self, first: int, end: int) -> str:
        """The text of the tokens from one cut up to another."""
        trace = self._trace(0, 0, None)
        return text_between(trace, first, end)

    def add(self, token: int) -> list[Place]:
        """Read a token; the places that are new or changed, in order."""
        self.completion.add(token)
        text = self.completion.text
        if self._closes(text):
            edges = self.tokenizer.edges(text)
            return self.finish(self._trace(edges.start, edges.stop, edges.answer))
        if self._start is None and not self._begin(text):
            return []
        places = self._places(self._trace(self._start or 0, len(text), None))
        marks = [places.mark(mark) for mark in self._marks.read(places.thought)]
        for mark in places.every(self.every, self._every_given):
            if mark.read > self.tokens:
                break
            self._every_given += 1
            marks.append(mark)
        return self._known.add(self.tokens, marks) if marks else []

    def finish(self, trace: dict[str, Any]) -> list[Place]:
        """End the thought; the places that are new or changed.

        Args:
            trace: a row of `TRACES`, or as much of it as there is.
        """
        self.ended = True
        self.end = thought_tokens(trace)[1]
        places = self._places(trace)
        if self._start is None:
            self._known = KnownPlaces(places.first, self.kinds)
        closed = places.closed
        marks: list[Mark] = [
            places.mark(mark)
            for mark in self._marks.finish(places.thought, closed=closed)
        ]
        marks += [*places.every(self.every, self._every_given), places.end]
        return self._known.add(self.tokens, marks)

    def _begin(self, text: str) -> bool:
        """Whether the thought has begun; if so, its first token is known."""
        start = self.tokenizer.format.begins_at(text, self.tokenizer.opening_left)
        if start is None:
            return False
        self._start = start
        first = self._places(self._trace(start, len(text), None)).first
        self._known = KnownPlaces(first, self.kinds)
        return True

    def _closes(self, text: str) -> bool:
        """Whether the last token ends the end marker."""
        marker, last = self.tokenizer.format.end, self.completion.offsets[-1]
        return text.find(marker, max(self._start or 0, last - len(marker))) >= 0

    def _places(self, trace: dict[str, Any]) -> ThoughtPlaces:
        stops, marker = self.tokenizer.stop_ids, self.tokenizer.format.end
        return ThoughtPlaces(trace, stops, marker, goes_on=not self.ended)

    def _trace(self, start: int, stop: int, answer: int | None) -> dict[str, Any]:
        """What is known of the row of `TRACES`."""
        end = None
        offsets = self.completion.offsets
        if answer is not None:
            marker = answer - len(self.tokenizer.format.end)
            end = token_at(offsets, len(self.prompt_ids), marker)
        return {
            "prompt_ids": self.prompt_ids,
            "completion_ids": self.completion.ids,
            "text": self.completion.text,
            "offsets": offsets,
            "thought_start": start,
            "thought_stop": stop,
            "thought_end": end,
            "answer_start": answer,
        }
