"""Controls: sentences at which a thought could have turned back or wrapped up.

They are candidates: every such sentence is a control. The stage `matches` pairs them
with turns that stand alike.
"""

import re
from dataclasses import dataclass

from doubletake.detector.backtrack_cues import turn_cue
from doubletake.detector.events import Events
from doubletake.text.sentences import sentences

_FIRST_WORD = re.compile(r"\W*([^\W\d_]+)")


@dataclass(frozen=True)
class Control:
    """A sentence at which the thought went on."""

    start: int
    end: int
    ordinal: int


def controls(
    thought: str, events: Events, words: frozenset[str]
) -> tuple[Control, ...]:
    """All sentences at which the thought went on, in their order.

    They begin after the first arrival and before the wrap-up. None of them is a
    backtrack or has a cue of one, and none begins with a word of `words`.

    Args:
        thought: the text.
        events: its events.
        words: words that turn back or wrap up, in the form of `str.casefold`.
    """
    if not events.arrivals:
        return ()
    first = events.arrivals[0].end
    stop = min((item.start for item in events.wrap_ups), default=len(thought))
    turns = {item.start for item in events.backtracks}
    spans = [
        span
        for span in sentences(thought)
        if first <= span.start < stop
        and span.start not in turns
        and goes_on(thought[slice(*span)], words)
    ]
    return tuple(Control(*span, ordinal) for ordinal, span in enumerate(spans, 1))


def goes_on(sentence: str, words: frozenset[str]) -> bool:
    """Whether a sentence begins with none of the words and has no cue of a turn."""
    # ASSUME: a sentence without these words and cues neither turns back nor wraps up.
    match = _FIRST_WORD.match(sentence)
    if match is not None and match[1].casefold() in words:
        return False
    return turn_cue(sentence) is None
