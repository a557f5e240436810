"""Sentences that stand wherever the page makes a claim that needs them."""

from doubletake.detector.detectors import GOLD_BASED


def hindsight(detector: str) -> str:
    """Why a stop at an arrival is no rule that could stop a running thought.

    Args:
        detector: the detector that found the arrivals.
    """
    gold = detector in GOLD_BASED
    known = "the right answer" if gold else "the value that the thought ends with"
    return (
        f"Arrivals are found in hindsight: the detector knows {known}. A rule that "
        "stops a running thought does not know it. What such a rule would save is not "
        "measured here."
    )
