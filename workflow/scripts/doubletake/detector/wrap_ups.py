"""The wrap-up: the sentence that leads from the last event to the end of a thought."""

from bisect import bisect_left
from dataclasses import replace

from doubletake.detector.answer_candidates import is_conclusion
from doubletake.detector.events import Events, WrapUp
from doubletake.text.sentences import sentences, starts_line


def with_wrap_up(thought: str, events: Events) -> Events:
    """The events with the wrap-up, if the thought goes on after its last event.

    The wrap-up is the sentence that begins the first line after the last arrival. Where
    a turn follows the last arrival, it is the first line after the turn that concludes,
    else the last line.
    """
    if not events.arrivals:
        return events
    after, turned = events.arrivals[-1].end, False
    if events.backtracks and events.backtracks[-1].start > after:
        after, turned = events.backtracks[-1].end, True
    spans = sentences(thought)
    lines = [
        span
        for span in spans[bisect_left(spans, (after,)) :]
        if starts_line(thought, span.start)
    ]
    if turned:
        ends = [span for span in lines if is_conclusion(thought[slice(*span)])]
        lines = ends or lines[-1:]
    if not lines:
        return events
    words = thought[slice(*lines[0])].split(maxsplit=2)
    cue = " ".join(words[:2])[:40].rstrip(",.:")
    return replace(events, wrap_ups=(WrapUp(*lines[0], cue),))
