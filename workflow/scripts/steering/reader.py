"""What was decoded, as text: its thought, its backtracks, and how whole it is."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from doubletake.detector.detectors import find_events
from doubletake.detector.events import Backtrack
from doubletake.text.coherence import compression_ratio, loops, repetition
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.running_text import RunningText
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion, verdict_on
from steering.names import WAIT_WORDS

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


@dataclass(frozen=True)
class Reading:
    """A completion, read as text. Bytes that are no text are shown as U+FFFD."""

    one: DrawnThought
    completion: Completion
    tokenizer: TraceTokenizer
    detector: str

    @cached_property
    def running(self) -> RunningText:
        """Its text, and where each token starts."""
        text = RunningText(self.tokenizer)
        for token in self.completion.ids:
            text.add(token)
        return text

    @property
    def text(self) -> str:
        """Thought and answer, markers included."""
        return self.running.text

    @cached_property
    def edges(self) -> Any:
        """Where the thought lies in the text."""
        return self.tokenizer.edges(self.text, cut_off=not self.ended)

    @property
    def ended(self) -> bool:
        """Whether the model ended it."""
        return self.completion.finish == "stop"

    @cached_property
    def backtracks(self) -> list[Backtrack]:
        """Backtracks of the thought, in characters of the text."""
        one, edges = self.one, self.edges
        thought = self.text[edges.start : edges.stop]
        answer = one.trace["answer"]
        events = find_events(one.question, thought, one.gold, answer, self.detector)
        return list(events.shifted(edges.start).backtracks)

    @property
    def thought_tokens(self) -> int:
        """Number of tokens of the thought."""
        offsets, edges = self.running.offsets, self.edges
        first = bisect_left(offsets, edges.start)
        end = len(offsets)
        if edges.marker is not None:
            end = bisect_left(offsets, edges.marker)
        return max(0, end - first)

    def verdict(self) -> dict[str, Any]:
        """The final answer and whether it is right."""
        edges = self.edges
        answer = None if edges.marker is None else edges.answer
        judged = verdict_on(self.one.prompt, self.text, answer)
        return {"answer": judged.answer, "correct": judged.correct}


def text_measures(ids: Sequence[int], text: str) -> dict[str, Any]:
    """Columns that say how whole a text is; see `WORDS_OF_TEXT`.

    Args:
        ids: tokens of the text.
        text: what they spell.
    """
    words = [match.group().lower() for match in _WORD.finditer(text)]
    return {
        "words": len(words),
        "waits": sum(word in WAIT_WORDS for word in words),
        "repeated_2": repetition(ids, 2),
        "repeated_3": repetition(ids, 3),
        "compression": compression_ratio(text),
        "loop": loops(ids),
    }
