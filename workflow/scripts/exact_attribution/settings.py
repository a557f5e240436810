"""What the scripts of exact attribution read from the config."""

from dataclasses import dataclass
from typing import Any

from doubletake.stats.verification import Verification


@dataclass(frozen=True)
class Settings:
    """The `exact_attribution` section of the config, and what it shares with others."""

    backtracks: int | None
    """Largest number of backtracks of the study; None: all selected ones."""
    minutes: float
    """Time for the study; a shard gets the part that its backtracks are."""
    least: int
    """Backtracks of the study that are measured even if the time is over."""
    top: int
    """Words of each context that the estimate puts first."""
    random: int
    """Other words of each context."""
    depths: list[float]
    """Boundaries of the residual stream, as shares of the layers."""
    steps: list[float]
    """How far the sampled words move, beside the whole way."""
    sampled_backtracks: int
    """Backtracks of which some words also move by smaller steps."""
    sampled_words: int
    """How many words of each of them, at one boundary."""
    path_points: int
    """Points of the gradients along a sampled word's own path."""
    seed: int
    """Of all draws."""
    metric: str
    """The metric of `attribution`, whose estimates are compared."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    verification: Verification
    """How many words are replaced again, by plain passes."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    return config["exact_attribution"] | {
        "metric": config["attribution"]["metric"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`: those of `IntervalSettings`."""
    return dict(config["intervals"])


def boundaries_of(depths: list[float], n_layers: int) -> list[int]:
    """The boundaries at shares of the layers, each once; never the final norm's."""
    layers = (min(round(depth * n_layers), n_layers - 1) for depth in depths)
    return list(dict.fromkeys(layers))
