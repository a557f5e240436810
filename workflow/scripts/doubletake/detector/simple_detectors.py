"""Two simple detectors, kept to show what the choice of the detector does to a result.

Both need the gold answer.
"""

import re

from doubletake.detector.cues import CHECK
from doubletake.detector.events import Arrival, Backtrack, Events, wrap_ups
from doubletake.text.sentences import sentences

WAIT = re.compile(r"wait\b", re.IGNORECASE)
MARKERS = re.compile(
    r"(?:(?:but|hmm|oh|so|okay|no)[,.\s]+)?"
    r"(?:wait|hold on|alternatively|but let me|let me (?:just )?(?:double[- ]?check|"
    r"check|verify|confirm|make sure|re-?check|think again)|another way|hmm|actually|"
    r"to double[- ]check|just to)\b",
    re.IGNORECASE,
)


def detect_string(thought: str, gold: str) -> Events:
    """Every occurrence of the gold string is an arrival.

    The published experiment's definition (ARBOR project discussion "How does early
    exiting at each instance of backtracking affect the model's prediction"), with every
    sentence that starts with "Wait" after the first arrival as a backtrack.
    """
    found = re.finditer(re.escape(gold), thought) if gold else ()
    return _events(thought, [match.span() for match in found], gold, WAIT)


def detect_markers(thought: str, gold: str) -> Events:
    """Whole gold numbers are arrivals, sentences with marker words backtracks."""
    found = re.finditer(rf"(?<![\w.]){re.escape(gold)}(?![\w]|\.\d)", thought)
    return _events(thought, [match.span() for match in found if gold], gold, MARKERS)


def _events(
    thought: str, places: list[tuple[int, int]], gold: str, marker: re.Pattern[str]
) -> Events:
    arrivals = tuple(
        Arrival(*place, gold, ordinal) for ordinal, place in enumerate(places, start=1)
    )
    if not arrivals:
        return Events()
    backtracks: list[Backtrack] = []
    for start, end in sentences(thought):
        match = marker.match(thought, start, end)
        if match and start > arrivals[0].end:
            backtracks.append(
                Backtrack(start, end, match.group(), CHECK, len(backtracks) + 1)
            )
    return wrap_ups(thought, Events(arrivals, tuple(backtracks)))
