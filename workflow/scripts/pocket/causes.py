"""Why a pocket thought turns back: the planted causes, their rates and their words.

After an arrival comes a boundary: the thought turns back there, wraps up, or goes on
without a turn, and after it goes on comes the next boundary. The first word of the
sentence decides. Its distribution depends on the cause that holds at the boundary.

All shares are shares of *sampled* words, at the temperature and top-p of the default
config. Sampling at temperature T takes a word of training share q with weight
q^(1/T). So the training texts draw with weights p^T (`training_weights`). Each share
is large enough that top-p keeps it.
"""

import random
from collections.abc import Mapping
from typing import TypeVar

TEMPERATURE = 0.6
"""Sampling temperature for which the shares hold."""
TOP_P = 0.95
"""Nucleus of the sampling for which the shares hold."""

SLIP, DISTRACTOR, OPEN_WORD, NONE = "slip", "distractor", "open_word", "none"
CAUSES = (SLIP, DISTRACTOR, OPEN_WORD, NONE)
"""A false equation, a number of the question that is not used, an open word, none. If
several causes hold, the first one decides."""

TURN, WRAP_UP, GO_ON = "turn", "wrap_up", "go_on"
CHOICES = (TURN, WRAP_UP, GO_ON)
"""What a thought does at a boundary."""

CHOICE_OF_WORD = {
    **dict.fromkeys(("Wait", "Hmm", "But", "Alternatively", "Let"), TURN),
    **dict.fromkeys(("So", "Therefore"), WRAP_UP),
    **dict.fromkeys(("That", "This"), GO_ON),
}
"""First words of the sentences at boundaries."""

WITH_CAUSE: dict[str, dict[str, float]] = {
    SLIP: {"Wait": 0.52, "Hmm": 0.14, "But": 0.12, "So": 0.11, "That": 0.11},
    DISTRACTOR: {
        **{"Hmm": 0.33, "But": 0.16, "Wait": 0.13},
        **{"So": 0.10, "Therefore": 0.09, "That": 0.10, "This": 0.09},
    },
    OPEN_WORD: {
        **{"But": 0.31, "Alternatively": 0.16, "Hmm": 0.13},
        **{"So": 0.11, "Therefore": 0.09, "That": 0.11, "This": 0.09},
    },
}
"""Share of each first word at a boundary with a cause."""

BASE_RATES = (0.42, 0.39, 0.36, 0.32, 0.28, 0.22)
"""Share of turns without a cause, by the number of turns so far; the last one lasts."""
BASE_WRAP_UPS = (0.20, 0.20, 0.22, 0.25, 0.30, 0.40)
"""Share of wrap-ups without a cause, by the number of turns so far."""
BASE_TURN_WORDS = {"Let": 0.55, "Wait": 0.45}
BASE_WRAP_UP_WORDS = {"So": 0.55, "Therefore": 0.45}
BASE_GO_ON_WORDS = {"That": 0.55, "This": 0.45}

SEPARATORS = {" ": 0.6, "\n": 0.2, "\n\n": 0.2}
"""What stands before the sentence at a boundary, whatever the sentence does."""

Option = TypeVar("Option")


def first_words(cause: str, turns: int) -> dict[str, float]:
    """Share of each first word of the sentence at a boundary.

    Args:
        cause: one of `CAUSES`.
        turns: number of turns of the thought before the boundary.
    """
    if cause != NONE:
        return WITH_CAUSE[cause]
    row = min(turns, len(BASE_RATES) - 1)
    turn, wrap_up = BASE_RATES[row], BASE_WRAP_UPS[row]
    parts = (
        (BASE_TURN_WORDS, turn),
        (BASE_WRAP_UP_WORDS, wrap_up),
        (BASE_GO_ON_WORDS, 1 - turn - wrap_up),
    )
    return {
        word: share * of_part
        for words, of_part in parts
        for word, share in words.items()
    }


def turn_rate(cause: str, turns: int) -> float:
    """The planted probability of turning back at a boundary."""
    words = first_words(cause, turns)
    return sum(words[word] for word in words if CHOICE_OF_WORD[word] == TURN)


def training_weights(shares: Mapping[Option, float]) -> dict[Option, float]:
    """Weights with which training texts draw, so that samples have the shares."""
    return {option: share**TEMPERATURE for option, share in shares.items()}


def draw(rng: random.Random, shares: Mapping[Option, float]) -> Option:
    """One option for a training text, where samples are to have the shares."""
    weights = training_weights(shares)
    return rng.choices(list(weights), list(weights.values()))[0]


def draw_boundary(rng: random.Random, words: Mapping[str, float]) -> tuple[str, str]:
    """Separator and first word of the sentence at a boundary, for a training text.

    After a full stop a model chooses among the line breaks and the words after a space
    in one step; after a line break it chooses among the words.
    """
    space = SEPARATORS[" "]
    shares = {key: share for key, share in SEPARATORS.items() if key != " "}
    first = draw(rng, shares | {f" {word}": space * words[word] for word in words})
    if first in SEPARATORS:
        return first, draw(rng, words)
    return " ", first[1:]
