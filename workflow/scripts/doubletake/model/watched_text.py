"""The text of a completion under way, for interventions whose positions it decides."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from doubletake.detector.causal import CausalReader
from doubletake.running.errors import InputError
from doubletake.text.running_text import RunningText
from doubletake.text.sentences import RunningSentences
from doubletake.text.tokenizer import TraceTokenizer

_BLANK_LINE = re.compile(r"\S[ \t\r]*\n[ \t\r]*\n\s*\Z")
LONGEST_BREAK = 64
"""Characters in which a blank line at the end of a text is looked for."""


@dataclass(frozen=True)
class TextReader:
    """What is needed to read completions while they are decoded."""

    tokenizer: TraceTokenizer
    questions: Mapping[str, str]
    """By trace; the causal detector of arrivals needs them."""

    def watch(self, trace: str) -> "WatchedText":
        """The text of a completion, before its first token.

        Raises:
            InputError: the question of the trace is not known.
        """
        if trace not in self.questions:
            raise InputError(f"trace {trace}: its question is not known")
        return WatchedText(self.tokenizer, self.questions[trace])


class WatchedText:
    """Says at each token whether positions of the kinds `TEXT_KINDS` are there."""

    def __init__(self, tokenizer: TraceTokenizer, question: str) -> None:
        """Start before the first token of a completion."""
        self.tokenizer = tokenizer
        self._text = RunningText(tokenizer)
        self._sentences = RunningSentences()
        self._arrivals = CausalReader(question)
        self._start: int | None = None  # of the thought, in characters
        self._closed = False

    @property
    def count(self) -> int:
        """Tokens read so far."""
        return len(self._text.ids)

    def add(self, token: int) -> None:
        """Read a token."""
        self._text.add(token)
        text, marker = self._text.text, self.tokenizer.format.end
        if self._start is None:
            left = self.tokenizer.opening_left
            self._start = self.tokenizer.format.begins_at(text, left)
        last = self._text.offsets[-1] - len(marker)
        self._closed = self._closed or text.find(marker, max(0, last)) >= 0

    def shows(self, kind: str) -> bool:
        """Whether the text up to the last token is a position of a kind.

        Positions lie inside the thought. From its end marker on there is none.
        """
        if self._closed or self._start is None or not self.count:
            return False
        thought = self._text.text[self._start :]
        if kind == "sentence_ends":
            return self._sentences.ends_here(thought)
        if kind == "paragraph_ends":
            return bool(_BLANK_LINE.search(thought[-LONGEST_BREAK:]))
        if not self._arrivals.arrivals:
            self._arrivals.read(thought)
        return bool(self._arrivals.arrivals)
