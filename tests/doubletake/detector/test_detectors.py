"""One call for all detectors."""

import pytest

from doubletake.detector.detectors import DETECTORS, check_detector, find_events
from doubletake.running.errors import InputError

THOUGHT = "5 + 3 = 8. Wait, let me check. 5 + 3 is 8. So the answer is 8."


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_finds_the_plain_case(detector):
    events = find_events("What is 5 plus 3?", THOUGHT, "8.0", "8", detector)
    assert {item.value for item in events.arrivals} == {"8"}
    assert all(item.is_gold and item.is_final for item in events.arrivals)
    assert len(events.backtracks) == 1


def test_rules_need_no_gold():
    events = find_events("What is 5 plus 3?", THOUGHT, None, None, "rules")
    assert len(events.arrivals) == 2
    assert events.arrivals[0].is_gold is None


@pytest.mark.parametrize("detector", ["string", "markers"])
def test_a_search_for_gold_needs_gold(detector):
    with pytest.raises(InputError, match=f"{detector!r} needs 'gold'"):
        find_events("?", THOUGHT, None, None, detector)


def test_an_unknown_detector_is_named():
    with pytest.raises(InputError, match=r"events\.detector: 'magic' is not one"):
        check_detector("magic", "events.detector")
