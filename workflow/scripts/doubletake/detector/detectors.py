"""The detectors that can be chosen, and the one call that runs any of them."""

from doubletake.detector.events import Events, detect, with_flags
from doubletake.detector.simple_detectors import detect_markers, detect_string
from doubletake.running.errors import InputError
from doubletake.text.answers import number_text

DETECTORS = ("rules", "string", "markers")
GOLD_BASED = ("string", "markers")
"""Detectors that search for the gold answer."""


def check_detector(name: str, key: str) -> None:
    """Refuse an unknown detector; `key` is where it was named.

    Raises:
        InputError: names it and the known ones.
    """
    if name not in DETECTORS:
        raise InputError(f"{key}: {name!r} is none of {', '.join(DETECTORS)}")


def find_events(
    question: str, thought: str, gold: str | None, answer: str | None, detector: str
) -> Events:
    """Events of one thought by the chosen detector, with their flags.

    Args:
        question: the problem's text.
        thought: the text to read.
        gold: the reference answer; only a gold-based detector searches for it.
        answer: the canonical final answer, for the flag `is_final`.
        detector: one of `DETECTORS`.

    Raises:
        InputError: a gold-based detector without a gold answer.
    """
    if detector in GOLD_BASED:
        if gold is None:
            raise InputError(f"the detector {detector!r} needs 'gold'")
        search = detect_string if detector == "string" else detect_markers
        events = search(thought, number_text(gold) or gold)
    else:
        events = detect(question, thought)
    return with_flags(events, gold, answer)
