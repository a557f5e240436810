"""Flags of arrivals, and events in a longer text."""

from doubletake.detector.events import Arrival, Backtrack, Events, with_flags
from doubletake.detector.rules_detector import detect

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"


def test_flags_come_from_references_alone():
    thought = "5 * 9 = 40.\n\nWait, that's wrong. 5 * 9 = 45. The answer is 45."
    events = with_flags(detect(QUESTION, thought), gold="45.0", answer="45")
    assert [(a.is_gold, a.is_final) for a in events.arrivals][-1] == (True, True)
    unknown = with_flags(events, gold=None, answer=None)
    assert unknown.arrivals[-1].is_gold is None


def test_events_are_shifted_as_a_whole():
    events = Events((Arrival(3, 4, "8", 1),), (Backtrack(6, 9, "Wait", "check", 1),))
    moved = events.shifted(10)
    assert [(a.start, a.end, a.value) for a in moved.arrivals] == [(13, 14, "8")]
    assert [(b.start, b.end, b.cue) for b in moved.backtracks] == [(16, 19, "Wait")]
