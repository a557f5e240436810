"""Outcomes: what a rule does to thoughts at each of its thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from doubletake.exit_rules.costs import accuracy_difference, ratio, share
from doubletake.exit_rules.replay import Looks, Stops
from doubletake.exit_rules.rule import Rule
from doubletake.exit_rules.thoughts import Thought
from doubletake.exit_rules.thresholds import one_standard_error, spent_tokens
from doubletake.stats.intervals import IntervalSettings, Mean


@dataclass(frozen=True)
class Outcome:
    """What one threshold does to thoughts; every array is [thought]."""

    problem: np.ndarray
    right: np.ndarray
    """Whether the answer at the stop is right."""
    right_at_end: np.ndarray
    spent: np.ndarray
    """Kept tokens and those of all trials up to the stop."""
    full: np.ndarray
    """Tokens of the whole thought."""
    stopped: np.ndarray
    """Whether the rule stops before the end."""

    @classmethod
    def of(cls, stops: Stops) -> "Outcome":
        """Of a replayed rule."""
        return cls(
            stops.problems,
            stops.right,
            stops.right_at_end,
            spent_tokens(stops),
            stops.full,
            stops.point >= 0,
        )

    @classmethod
    def joined(cls, parts: Sequence["Outcome"]) -> "Outcome":
        """The thoughts of all parts."""
        names = [field.name for field in fields(cls)]
        return cls(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
        )

    def only(self, rows: np.ndarray) -> "Outcome":
        """Some thoughts.

        Args:
            rows: [thought], bool.
        """
        return Outcome(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def to_the_end(self) -> "Outcome":
        """The same thoughts, none of them stopped: no trial is paid either."""
        never = np.zeros(len(self.problem), dtype=bool)
        return Outcome(
            *(self.problem, self.right_at_end, self.right_at_end),
            *(self.full, self.full, never),
        )

    @property
    def lost(self) -> np.ndarray:
        """[thought], right at the end and wrong at the stop."""
        return self.right_at_end & ~self.right

    @property
    def problems(self) -> int:
        """Number of problems."""
        return len(set(self.problem))

    def total_rate(self, intervals: IntervalSettings) -> Mean:
        """Kept and trial tokens over full ones."""
        return ratio(self.spent, self.full, self.problem, intervals)

    def accuracy(self, intervals: IntervalSettings) -> Mean:
        """Share of right answers at the stops."""
        return share(self.right, self.problem, intervals)

    def change(self, intervals: IntervalSettings) -> Mean:
        """Accuracy at the stop minus at the end, on the same thoughts."""
        return accuracy_difference(
            self.right, self.right_at_end, self.problem, intervals
        )

    def risk(self, intervals: IntervalSettings) -> Mean:
        """Share of thoughts that lose their right answer."""
        return share(self.lost, self.problem, intervals)


@dataclass(frozen=True)
class Outcomes:
    """What a rule does to the same thoughts at several thresholds."""

    grid: tuple[float, ...]
    """From the most careful to the boldest."""
    at: dict[float | None, Outcome]
    """By threshold; None: think to the end. It holds the grid and further ones."""

    @classmethod
    def of(
        cls, rule: Rule, thoughts: Sequence[Thought], further: Sequence[float] = ()
    ) -> "Outcomes":
        """Replay a rule at every threshold of its grid, and at further ones.

        Raises:
            ValueError: the rule has no grid.
        """
        if not rule.grid:
            raise ValueError(f"{rule.name} has no grid of thresholds")
        looks = Looks.of(rule, thoughts)
        at: dict[float | None, Outcome] = {
            float(threshold): Outcome.of(looks.stops(threshold))
            for threshold in (*rule.grid, *further)
        }
        at[None] = next(iter(at.values())).to_the_end
        return cls(tuple(float(threshold) for threshold in rule.grid), at)

    def only(self, rows: np.ndarray) -> "Outcomes":
        """Some thoughts.

        Args:
            rows: [thought], bool.
        """
        return Outcomes(
            self.grid, {key: one.only(rows) for key, one in self.at.items()}
        )

    @property
    def lost(self) -> np.ndarray:
        """[thought, threshold of the grid], right at the end and wrong at the stop."""
        return np.stack([self.at[threshold].lost for threshold in self.grid], axis=1)

    def chosen(self) -> float | None:
        """The cheapest threshold within one standard error of the best.

        None: think to the end, also where there are no thoughts.
        """
        candidates = (*self.grid, None)
        columns = [self.at[threshold] for threshold in candidates]
        if not len(columns[0].problem):
            return None
        right = np.stack([one.right for one in columns], axis=1)
        spent = np.stack([one.spent for one in columns], axis=1)
        return candidates[one_standard_error(right, spent, columns[0].problem)]
