"""Controls: sentences at which the model went on, one for each backtrack."""

import random
from bisect import bisect_left
from dataclasses import dataclass

from doubletake.detector.backtrack_cues import turn_cue
from doubletake.detector.events import Events
from doubletake.text.sentences import Span, sentences, starts_line

# ASSUME: a sentence near a backtrack, at the same place in its line, is its match.
NEAREST = 3  # sentences, one of which is drawn


@dataclass(frozen=True)
class Control:
    """A sentence matched to a backtrack, at which the model went on."""

    start: int
    end: int
    ordinal: int


def controls(thought: str, events: Events, draw: random.Random) -> tuple[Control, ...]:
    """Sentences matched to the backtracks, in the order of the thought.

    For each backtrack one of the nearest free sentences is drawn. It starts a line if
    the backtrack does. If no free sentence of this kind is left, one of the other kind
    is drawn. A thought with too few other sentences has fewer controls than backtracks.

    Args:
        thought: the text.
        events: its events.
        draw: source of the draws.
    """
    taken = {item.start for item in events.backtracks}
    taken |= {item.start for item in events.wrap_ups}
    free: dict[bool, list[Span]] = {True: [], False: []}
    for span in sentences(thought) if events.backtracks else ():
        if span.start not in taken and turn_cue(thought[slice(*span)]) is None:
            free[starts_line(thought, span.start)].append(span)
    chosen: list[Span] = []
    for backtrack in events.backtracks:
        at_line_start = starts_line(thought, backtrack.start)
        spans = free[at_line_start] or free[not at_line_start]
        if spans:
            index = draw.choice(_nearest(spans, backtrack.start))
            chosen.append(spans.pop(index))
    return tuple(
        Control(*span, ordinal) for ordinal, span in enumerate(sorted(chosen), start=1)
    )


def _nearest(spans: list[Span], start: int) -> list[int]:
    """Indices of the ordered spans that start nearest to a character."""
    index = bisect_left(spans, (start,))
    around = range(max(0, index - NEAREST), min(len(spans), index + NEAREST))
    return sorted(around, key=lambda i: (abs(spans[i].start - start), i))[:NEAREST]
