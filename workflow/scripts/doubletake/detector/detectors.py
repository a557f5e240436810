"""The choice of a detector, and one call that runs any of them."""

from doubletake.detector.baseline_detectors import detect_markers, detect_string
from doubletake.detector.events import Events, with_flags
from doubletake.detector.rules_detector import detect
from doubletake.running.errors import InputError
from doubletake.text.answers import number_text
from doubletake.text.golds import CHOICE, kind_of

DETECTORS = ("rules", "string", "markers")
CAUSAL = "causal"
"""Reads a thought no further than a place in it (`causal`); exit rules use it."""
SCORED = (*DETECTORS, CAUSAL)
"""All detectors that are scored on labelled traces."""
GOLD_BASED = ("string", "markers")
"""Detectors that search for the gold answer."""


def check_detector(name: str, key: str) -> None:
    """Refuse an unknown detector.

    Args:
        name: of the detector.
        key: the config key that names it.

    Raises:
        InputError: the detector is unknown; the message lists the known ones.
    """
    if name not in DETECTORS:
        raise InputError(f"{key}: {name!r} is not one of {', '.join(DETECTORS)}")


def find_events(
    question: str, thought: str, gold: str | None, answer: str | None, detector: str
) -> Events:
    """Events of one thought by the chosen detector, with their flags.

    Args:
        question: the problem's text.
        thought: the text.
        gold: the reference answer; only a gold-based detector needs it.
        answer: the canonical final answer, for the flag `is_final`.
        detector: one of `DETECTORS`.

    Raises:
        InputError: a gold-based detector gets no gold answer, or only a letter.
    """
    if detector in GOLD_BASED:
        if gold is None:
            raise InputError(f"the detector {detector!r} needs 'gold'")
        if kind_of(gold) == CHOICE:
            raise InputError(
                f"the detector {detector!r} cannot search for the letter {gold!r}, the "
                "reference answer; use the detector 'rules'"
            )
        search = detect_string if detector == "string" else detect_markers
        events = search(thought, number_text(gold) or gold)
    else:
        events = detect(question, thought)
    return with_flags(events, gold, answer)
