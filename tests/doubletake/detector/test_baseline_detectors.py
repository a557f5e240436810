"""The published search for the gold string, and the list of words."""

from doubletake.detector.baseline_detectors import detect_markers, detect_string

THOUGHT = "8 and 18 make 26. So 8.\n\nWait, check. 8. Alternatively, 8.5.\n\nSo 8."


def test_the_published_search_takes_every_occurrence():
    events = detect_string(THOUGHT, "8")
    assert [item.start for item in events.arrivals] == [
        index for index, char in enumerate(THOUGHT) if char == "8"
    ]
    assert [item.cue for item in events.backtracks] == ["Wait"]


def test_markers_take_whole_numbers_and_more_words():
    events = detect_markers(THOUGHT, "8")
    assert [item.ordinal for item in events.arrivals] == [1, 2, 3, 4]
    assert [item.cue for item in events.backtracks] == ["Wait", "Alternatively"]


def test_nothing_without_the_gold_string():
    assert detect_string("no number", "8") == detect_markers("", "8")
    assert not detect_string(THOUGHT, "").arrivals
