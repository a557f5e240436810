"""Sentences that stand wherever the page makes a claim that needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.detector.detectors import GOLD_BASED

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def chosen_by_prediction(data: StudyData) -> str:
    """Why backtracks differ from controls by choice too; empty where they do not.

    It begins with a space.
    """
    if not data.settings["turns"]["predicted_only"]:
        return ""
    return (
        " turns.predicted_only keeps only backtracks at which a backtrack word is the "
        "most likely token, and controls were not chosen so. This makes differences "
        "between them larger."
    )


def hindsight(detector: str) -> str:
    """Why a stop at an arrival is no rule that could stop a running thought.

    Args:
        detector: the detector that found the arrivals.
    """
    gold = detector in GOLD_BASED
    known = "the right answer" if gold else "the value that the thought ends with"
    return (
        f"Arrivals are found in hindsight: the detector knows {known}. A rule that "
        "stops a running thought does not know it. What such rules save stands in "
        "the section on exit policies."
    )
