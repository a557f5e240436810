"""For later stages: the causes in thoughts of the pocket language, and their rates."""

from pocket.causes import (
    CAUSES,
    CHOICE_OF_WORD,
    CHOICES,
    GO_ON,
    NONE,
    TEMPERATURE,
    TOP_P,
    TURN,
    WRAP_UP,
    turn_rate,
)
from pocket.context import QUESTION, THOUGHT
from pocket.inserted_slips import possible_slips
from pocket.thought_reader import Reading, read_thought
from pocket.twin_texts import Edit, NoTwinError, Twin, edited, twin_of

__all__ = [
    "CAUSES",
    "CHOICES",
    "CHOICE_OF_WORD",
    "GO_ON",
    "LANGUAGE",
    "NONE",
    "QUESTION",
    "TEMPERATURE",
    "THOUGHT",
    "TOP_P",
    "TURN",
    "WRAP_UP",
    "Edit",
    "NoTwinError",
    "Reading",
    "Twin",
    "edited",
    "possible_slips",
    "read_thought",
    "turn_rate",
    "twin_of",
]

LANGUAGE = "pocket-causes-1"
"""Name of the language, as a model's card gives it (`planted_language`)."""
