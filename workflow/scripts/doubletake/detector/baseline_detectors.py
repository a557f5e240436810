"""Two simple detectors (`string`, `markers`), to compare the detector `rules` with.

They show how much a result depends on the detector. Both need the gold answer.
"""

import re

from doubletake.detector.backtrack_cues import CHECK
from doubletake.detector.events import Arrival, Backtrack, Events
from doubletake.detector.wrap_ups import with_wrap_up
from doubletake.text.sentences import sentences

# ASSUME: every sentence with one of these words turns back.
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

    Every sentence that starts with "Wait" after the first arrival is a backtrack. This
    is the definition of the published experiment (ARBOR project discussion "How does
    early exiting at each instance of backtracking affect the model's prediction").
    """
    matches = re.finditer(re.escape(gold), thought) if gold else ()
    return _events(thought, [match.span() for match in matches], gold, WAIT)


def detect_markers(thought: str, gold: str) -> Events:
    """Whole gold numbers are arrivals; sentences with marker words are backtracks."""
    matches = re.finditer(rf"(?<![\w.]){re.escape(gold)}(?![\w]|\.\d)", thought)
    return _events(thought, [match.span() for match in matches if gold], gold, MARKERS)


def _events(
    thought: str, spans: list[tuple[int, int]], gold: str, marker: re.Pattern[str]
) -> Events:
    arrivals = tuple(
        Arrival(*span, gold, ordinal) for ordinal, span in enumerate(spans, start=1)
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
    return with_wrap_up(thought, Events(arrivals, tuple(backtracks)))
