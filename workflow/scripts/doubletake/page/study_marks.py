"""Colours and marks that tell studies apart in one figure."""

from dataclasses import dataclass

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d00")
"""Safe for colour-blind readers (Okabe & Ito 2008, without yellow and black)."""
MARKS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class StudyMark:
    """Colour and mark of a study."""

    colour: str
    mark: str


def study_mark(number: int) -> StudyMark:
    """Colour and mark of a study; 36 studies have different ones.

    Args:
        number: of the study, from 0.
    """
    turn, colour = divmod(number, len(COLOURS))
    return StudyMark(COLOURS[colour], MARKS[(colour + turn) % len(MARKS)])
