"""The budget of time: which backtracks a shard measures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from exact_attribution.tables import LATE, LEAST, MEASURED


@dataclass
class Budget:
    """Time for the backtracks of a shard; its clock starts when it is made.

    A shard's part of the study's time is the part of the drawn backtracks that it has.
    """

    minutes: float
    """Time of the study."""
    share: float
    """Part of the study's backtracks that the shard measures."""
    least: int
    """Backtracks of the study that are measured even if the time is over."""
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.started = self.clock()

    def verdict(self, place: int) -> str:
        """Whether a backtrack is measured now: one of `BUDGETS`.

        Args:
            place: its place in the seeded order of the study, from 1.
        """
        if self.clock() - self.started <= self.minutes * 60 * self.share:
            return MEASURED
        return LEAST if place <= self.least else LATE
