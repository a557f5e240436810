"""Which parts of the config the scripts of the loop read."""

from dataclasses import dataclass
from typing import Any

from doubletake.stats.verification import Verification

MEASURED = ("direction", "layer", "strength", "units", "heads", "random", "seed")
SUMMARISED = ("lens_layer", "leading_heads", "words")


@dataclass(frozen=True)
class Settings:
    """Settings of `measure.py`."""

    direction: str
    """Name of the direction that is added."""
    layer: float
    """Boundary where it is added, as a share of the layers."""
    strength: float
    """Length of what is added, in residual norms."""
    units: str
    """Target of the ablation whose units are set to 0."""
    heads: str
    """Target of the ablation whose heads are set to 0."""
    random: int
    """Number of random vectors and of random sets beside each of them."""
    seed: int
    """Of the random vectors."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    verification: Verification
    """How many effects are computed again, by plain passes."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    return {name: config["loop"][name] for name in MEASURED} | {
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    return {name: config["loop"][name] for name in SUMMARISED}
