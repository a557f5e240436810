"""Finished thoughts with their trial points, on which rules are replayed."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from doubletake.exit_rules.points import END, TrialPoint


@dataclass(frozen=True)
class Thought:
    """One finished thought."""

    trace: str
    problem: str
    points: tuple[TrialPoint, ...]
    """In the order of their tokens."""
    tokens: int
    """Number of tokens of the whole thought."""
    end_answer: str | None
    """Canonical value of the answer after the whole thought; None if it has none."""
    verdicts: tuple[bool, ...] | None = None
    """`[1 + point]`: whether the end's answer is right, then each point's; None if the
    right answer is not known."""
    closed: bool = True
    """Whether the thought has an end; false: it was cut off."""
    left_out: int = 0
    """Number of its trial points that a limit leaves out."""

    def __post_init__(self) -> None:
        """Refuse points that are not in order, or lie outside the thought."""
        places = [point.token for point in self.points]
        if any(a >= b for a, b in pairwise(places)):
            raise ValueError(f"trace {self.trace}: trial points are not in order")
        if places and not 0 <= places[0] <= places[-1] <= self.tokens:
            raise ValueError(f"trace {self.trace}: a trial point outside the thought")
        if self.verdicts is not None and len(self.verdicts) != 1 + len(places):
            raise ValueError(f"trace {self.trace}: not one verdict per answer")

    @cached_property
    def exits(self) -> tuple[int, ...]:
        """Numbers of the points that are an exit: all that show before the end."""
        points = enumerate(self.points)
        return tuple(number for number, point in points if point.known_kinds)

    @property
    def tokens_to_marker(self) -> int | None:
        """Tokens between the last point and the end marker; None without both."""
        if not self.closed or not self.points or END not in self.points[-1].kinds:
            return None
        return self.tokens - self.points[-1].token

    @cached_property
    def right(self) -> np.ndarray:
        """`[1 + point]`, bool: `verdicts`.

        Raises:
            ValueError: the right answer is not known.
        """
        if self.verdicts is None:
            raise ValueError(f"trace {self.trace}: the right answer is not known")
        return np.array(self.verdicts, dtype=bool)
