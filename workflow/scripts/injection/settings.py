"""What the stage reads from the config."""

from dataclasses import dataclass
from typing import Any

from doubletake.stats.verification import Verification


@dataclass(frozen=True)
class Settings:
    """The `injection` section of the config, and what it shares with others."""

    contexts: int
    """Largest number of test problems."""
    directions: list[str]
    """Names of directions; those that do not exist are left out."""
    depths: list[float]
    """Boundaries, as shares of the layers."""
    strengths: list[float]
    """In mean norms of the residual stream."""
    tested_strength: float
    """The strength of the random vectors and of the claims."""
    random: int
    """Number of random vectors at each boundary."""
    random_contexts: int
    """Number of problems at which they are added."""
    distance: int
    """Tokens after the injected one that are read."""
    attention_factors: list[float]
    """What the odds of the attention to the injected token are multiplied by."""
    free_contexts: int
    """Number of problems whose thought goes on freely."""
    free_tokens: int
    """Tokens that are decoded then."""
    seed: int
    """Of all draws."""
    temperature: float
    top_p: float
    batch_size: int
    generation_seed: int
    """Of the study's thoughts; free runs take the next one."""
    detector: str
    """Of backtracks."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the model."""
    verification: Verification
    """How many divergences are computed again, by plain passes."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    generation = config["generation"]
    return config["injection"] | {
        **{name: generation[name] for name in ("temperature", "top_p", "batch_size")},
        "generation_seed": generation["seed"],
        "detector": config["events"]["detector"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }
