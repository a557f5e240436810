"""The wrap-up: the sentence that leads from the last event to the end of a thought."""

import re
from bisect import bisect_left
from dataclasses import replace

from doubletake.detector import chinese_cues
from doubletake.detector.answer_candidates import is_conclusion
from doubletake.detector.backtrack_cues import asks
from doubletake.detector.events import Events, WrapUp
from doubletake.text.sentences import Span, sentences, starts_line

_ENDS = re.compile(
    r"\bfinal answer\b|\\boxed|####|^\W*(?:so,?\s+)?(?:therefore|thus|hence)\b.*\d|"
    r"\banswer\s+(?:is|should be|must be|would be|has to be)\b"
    r"(?!\s+(?:indeed\s+|also\s+)?(?:correct|right|consistent|the same|wrong|not)\b)|"
    r"\b(?:is|as)\s+(?:indeed\s+)?(?:the|my)\s+(?:\w+\s+)?answer\b",
    re.IGNORECASE | re.DOTALL,
)


def ends_thought(sentence: str) -> bool:
    """Whether a sentence says that it gives the answer for good ("Therefore, ...")."""
    ends = _ENDS.search(sentence) or (
        chinese_cues.in_chinese(sentence) and chinese_cues.ENDS.search(sentence)
    )
    return bool(ends) and not asks(sentence)


def with_wrap_up(thought: str, events: Events) -> Events:
    """The events with the wrap-up, if the thought goes on after its last event.

    The wrap-up is the first sentence after the last arrival and its turn that gives the
    answer for good. If there is none, it is the sentence that begins the first line
    after the last arrival. Where a turn follows the last arrival, it is then the first
    line after the turn that concludes, else the last line.
    """
    if not events.arrivals:
        return events
    after, turned = events.arrivals[-1].end, False
    if events.backtracks and events.backtracks[-1].start > after:
        after, turned = events.backtracks[-1].end, True
    spans = sentences(thought)
    wrap_up = _wrap_up(thought, spans[bisect_left(spans, (after,)) :], turned)
    if wrap_up is None:
        return events
    words = thought[slice(*wrap_up)].split(maxsplit=2)
    cue = " ".join(words[:2])[:40].rstrip(",.:")
    return replace(events, wrap_ups=(WrapUp(*wrap_up, cue),))


def _wrap_up(thought: str, spans: tuple[Span, ...], turned: bool) -> Span | None:
    """The wrap-up among the sentences after the last event; None if there is none."""
    ends = [span for span in spans if ends_thought(thought[slice(*span)])]
    if ends:
        return ends[0]
    lines = [span for span in spans if starts_line(thought, span.start)]
    if turned:
        ends = [span for span in lines if is_conclusion(thought[slice(*span)])]
        lines = ends or lines[-1:]
    return lines[0] if lines else None
