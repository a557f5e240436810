"""Which parts of the config the scripts of steering read."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Screening:
    """What is screened: keys of the section `steering`."""

    layers: list[float]
    """Shares of the number of layers."""
    directions: list[str]
    value_vectors: int
    """Number of value vectors, of those nearest to the probe."""
    positions: list[str]
    strengths: list[float]
    """In residual norms, each with both signs."""
    published: list[str]
    """Names of `SETTINGS_OF_PAPERS`."""


@dataclass(frozen=True)
class DecodingSettings:
    """How continuations are decoded and measured."""

    contexts: int
    """Largest number of contexts of the screening."""
    ladder_contexts: int
    """Largest number of contexts of the chosen direction."""
    thoughts: int
    """Largest number of whole thoughts."""
    screen_tokens: int
    """Length of a short continuation, in tokens."""
    max_tokens: int
    """Length of the longest completion of a whole thought, in tokens."""
    controls: int
    """Draws of each control."""
    random: int
    """Random vectors beside the chosen direction."""
    steps: list[float]
    """Shares of the chosen strength."""
    batch_size: int
    seed: int
    temperature: float
    top_p: float
    generation_seed: int
    """Of the study's thoughts."""
    detector: str
    """Of backtracks."""
    batch_memory: float
    """For log-probs without steering, in GiB."""

    @property
    def fresh_seed(self) -> int:
        """Of continuations; never that of the study's thoughts.

        A context is an arrival that the detector found in the whole thought of the
        study, so it is chosen by what follows it there: the only arrival of a thought
        is never followed by a turn. With the study's random numbers, the continuation
        without steering would be that very text, and turn back less often than others.
        """
        return self.generation_seed + 1 + self.seed


_SCREENED = (
    *("layers", "directions", "value_vectors", "positions", "strengths"),
    "published",
)
_DECODED = (
    *("contexts", "ladder_contexts", "thoughts", "screen_tokens", "max_tokens"),
    *("controls", "random", "steps", "batch_size", "seed"),
)


def screened(config: dict[str, Any]) -> dict[str, Any]:
    """Fields of `Screening`."""
    return {name: config["steering"][name] for name in _SCREENED}


def decoded(config: dict[str, Any]) -> dict[str, Any]:
    """Fields of `DecodingSettings`."""
    generation = config["generation"]
    return {name: config["steering"][name] for name in _DECODED} | {
        "temperature": generation["temperature"],
        "top_p": generation["top_p"],
        "generation_seed": generation["seed"],
        "detector": config["events"]["detector"],
        "batch_memory": config["batch_memory"],
    }
