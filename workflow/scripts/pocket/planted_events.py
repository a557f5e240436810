"""The events that are planted in a pocket thought, and the text under construction."""

from dataclasses import dataclass, field

from pocket.context import Cause, Context
from pocket.questions import Span


@dataclass(frozen=True)
class Arrival:
    """A number by which the thought states a value as the answer."""

    start: int
    end: int
    value: int


@dataclass(frozen=True)
class Boundary:
    """A place after an arrival where the thought turns back, wraps up or goes on."""

    start: int
    """First character of the sentence at the boundary."""
    end: int
    """The character after this sentence."""
    choice: str | None
    """`turn`, `wrap_up` or `go_on`; None for a sentence that is not of the language."""
    word: str
    """First word of the sentence."""
    cause: Cause
    """The cause that decides."""
    causes: int
    """Number of causes that hold."""
    turns: int
    """Number of turns before."""
    probability: float
    """Planted probability of turning back here."""


@dataclass(frozen=True)
class Backtrack:
    """A sentence that turns back from an arrival."""

    start: int
    end: int
    cue: str
    kind: str
    """`check`, `doubt`, `alternative` or `reread`."""


@dataclass(frozen=True)
class Thought:
    """A thought and the events that are planted in it."""

    text: str
    arrivals: tuple[Arrival, ...]
    boundaries: tuple[Boundary, ...]
    backtracks: tuple[Backtrack, ...]
    sentence_ends: tuple[int, ...]
    """Characters before each step of the first derivation: ends of sentences."""

    @property
    def answer(self) -> int:
        """The value of the last arrival."""
        return self.arrivals[-1].value


@dataclass
class Writer:
    """Text under construction, its events, and the state that follows from it."""

    context: Context
    text: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    backtracks: list[Backtrack] = field(default_factory=list)

    def say(self, sentence: str, separator: str = " ") -> Span:
        """Add a sentence, after a separator unless it is the first."""
        self.text += separator if self.text else ""
        start = len(self.text)
        self.text += sentence
        return start, len(self.text)

    def arrive(self, span: Span) -> None:
        """Record the number at a span as an arrival."""
        value = int(self.text[slice(*span)])
        self.arrivals.append(Arrival(*span, value))

    def begin(self, sentence: str, separator: str, choice: str) -> Span:
        """Add the sentence at a boundary and record the boundary."""
        context = self.context
        cause, turns, rate = context.cause, context.turns, context.turn_rate
        count = len(context.causes)
        span = self.say(sentence, separator)
        word = sentence.split()[0].rstrip(",")
        self.boundaries.append(Boundary(*span, choice, word, cause, count, turns, rate))
        return span
