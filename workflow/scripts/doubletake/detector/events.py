"""The events of one thought: arrivals, backtracks and wrap-ups."""

from dataclasses import dataclass, replace
from typing import Any

from doubletake.text.answers import number_text
from doubletake.text.equality import same_expression


@dataclass(frozen=True)
class Arrival:
    """A number by which the thought states a value as the answer."""

    start: int
    end: int
    value: str
    """Canonical number, or a letter or an expression without spaces."""
    ordinal: int
    is_gold: bool | None = None
    is_final: bool | None = None


@dataclass(frozen=True)
class Backtrack:
    """The first sentence of a turn back from an answer."""

    start: int
    end: int
    cue: str
    """The words that signal the turn."""
    kind: str
    """`check`, `doubt`, `alternative` or `reread`."""
    ordinal: int


@dataclass(frozen=True)
class WrapUp:
    """The sentence that leads to the end of the thought after the last arrival."""

    start: int
    end: int
    cue: str
    """The first two words of the sentence."""
    ordinal: int = 1


@dataclass(frozen=True)
class Events:
    """The events of one thought; `start` and `end` are characters of the thought."""

    arrivals: tuple[Arrival, ...] = ()
    backtracks: tuple[Backtrack, ...] = ()
    wrap_ups: tuple[WrapUp, ...] = ()

    def shifted(self, characters: int) -> "Events":
        """The same events in a text that begins some characters before the thought."""

        def moved(event: Any) -> Any:
            start, end = event.start + characters, event.end + characters
            return replace(event, start=start, end=end)

        parts = (self.arrivals, self.backtracks, self.wrap_ups)
        return Events(*(tuple(map(moved, part)) for part in parts))


def with_flags(events: Events, gold: str | None, answer: str | None) -> Events:
    """The events with `is_gold` and `is_final` set; None where a reference is missing.

    Args:
        events: of one thought.
        gold: the reference answer.
        answer: the final answer.
    """

    def flag(value: str, reference: str | None) -> bool | None:
        if reference is None:
            return None
        if number_text(reference) is not None:
            return value == number_text(reference)
        if number_text(value) is not None or min(len(value), len(reference)) == 1:
            return value == reference
        return same_expression(reference, value)

    return replace(
        events,
        arrivals=tuple(
            replace(
                item,
                is_gold=flag(item.value, gold),
                is_final=flag(item.value, answer),
            )
            for item in events.arrivals
        ),
    )
