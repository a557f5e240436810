"""The `directions` section of the config."""

from dataclasses import dataclass

from doubletake.stats.verification import Verification


@dataclass(frozen=True)
class Settings:
    """The `directions` section of the config, and parts of other sections."""

    fit_share: float
    """Share of the problems that give the directions."""
    thoughts: int | None
    """Largest number of thoughts that the model reads; None: all."""
    windows: list[list[int]]
    """Ward's windows beside the published one: first and last offset, tokens from the
    sentence's first token."""
    shuffles: int
    """Draws of shuffled labels."""
    strength: float
    """Inverse strength C of the probe's L2 penalty."""
    folds: int
    """Parts of the fit problems; each is left out once, to choose the boundary."""
    components: int
    """Principal components by boundary."""
    component_positions: int
    """Positions that they are computed from."""
    units: int
    """Hidden units on each side."""
    seed: int
    """Seed of all draws."""
    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    verification: Verification
    """How many thoughts are read again, one by one."""
    least_problems: int
    """Fewest problems with a case: with fewer there is no direction."""
