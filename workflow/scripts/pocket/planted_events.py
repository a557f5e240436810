"""The events that are planted in a pocket thought, and the text under construction."""

from dataclasses import dataclass, field

Span = tuple[int, int]
"""First character and the character after the last."""


@dataclass(frozen=True)
class Arrival:
    """A number by which the thought states a value as the answer."""

    start: int
    end: int
    value: int
    ordinal: int


@dataclass(frozen=True)
class Backtrack:
    """A sentence that turns back from an arrival."""

    start: int
    end: int
    cue: str
    kind: str
    """`check`, `doubt`, `alternative` or `reread`."""


@dataclass(frozen=True)
class WrapUp:
    """The sentence that leads to the end of the thought."""

    start: int
    end: int
    cue: str


@dataclass(frozen=True)
class Slip:
    """A planted wrong result."""

    start: int
    end: int
    wrong: int
    right: int
    corrected: Span | None
    """Span of the first right result instead; None if the thought never states it."""


@dataclass(frozen=True)
class Thought:
    """A thought and the events that are planted in it."""

    text: str
    arrivals: tuple[Arrival, ...]
    backtracks: tuple[Backtrack, ...]
    wrap_ups: tuple[WrapUp, ...]
    slips: tuple[Slip, ...]

    @property
    def answer(self) -> int:
        """The value of the last arrival."""
        return self.arrivals[-1].value


@dataclass
class Writer:
    """Text under construction, and the events in it."""

    text: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    backtracks: list[Backtrack] = field(default_factory=list)
    wrap_ups: list[WrapUp] = field(default_factory=list)

    def say(self, sentence: str) -> Span:
        """Add a sentence, with a space before it inside a paragraph."""
        if self.text and not self.text.endswith("\n\n"):
            self.text += " "
        start = len(self.text)
        self.text += sentence
        return start, len(self.text)

    def say_number(self, sentence: str, before_end: int = 1) -> Span:
        """Add a sentence that states a number.

        Args:
            sentence: to add.
            before_end: characters of the sentence after the number.

        Returns:
            The span of the number.
        """
        _, end = self.say(sentence)
        end -= before_end
        start = end
        while self.text[start - 1].isdigit():
            start -= 1
        return start, end

    def arrive(self, span: Span) -> None:
        """Record the number at a span as an arrival."""
        value = int(self.text[span[0] : span[1]])
        self.arrivals.append(Arrival(*span, value, len(self.arrivals) + 1))
