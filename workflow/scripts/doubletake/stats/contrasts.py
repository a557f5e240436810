"""Contrasts: pairs of classes of positions that probes tell apart.

A case is a cached position of one event. Its label says to which of the two classes it
belongs. The cases of both classes are matched (stage `matches`).
"""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Contrast:
    """Two classes of positions."""

    name: str
    positive: str
    """The first class, in words."""
    negative: str
    """The second class, in words."""
    turn_kinds: tuple[str, str] | None
    """Kinds of turns of the two classes; None: the classes are right and wrong
    arrivals."""

    @property
    def description(self) -> str:
        """What the page calls it."""
        return f"{self.positive} against {self.negative}"


CONTRASTS = (
    Contrast("backtrack_control", "backtrack", "control", ("backtrack", "control")),
    Contrast("wrap_up_control", "wrap-up", "control", ("wrap_up", "control")),
    Contrast("backtrack_wrap_up", "backtrack", "wrap-up", ("backtrack", "wrap_up")),
    Contrast("right_arrival", "right arrival", "wrong arrival", None),
)
CONTRAST_BY_NAME = {contrast.name: contrast for contrast in CONTRASTS}


@dataclass(frozen=True)
class ClassCounts:
    """Matched cases of a contrast, and the problems of both classes."""

    positives: int
    negatives: int
    positive_problems: int
    negative_problems: int

    @classmethod
    def of(cls, cases: pl.DataFrame) -> "ClassCounts":
        """Count the cases of a contrast: columns problem and label."""
        first, second = (cases.filter(label=flag) for flag in (True, False))
        problems = (part["problem"].n_unique() for part in (first, second))
        return cls(first.height, second.height, *problems)

    def why_too_few(
        self, contrast: Contrast, folds: int, least_problems: int
    ) -> str | None:
        """Why no probe can be judged; None where a probe can be judged.

        Args:
            contrast: what the probe is to tell apart.
            folds: of the cross-validation; each must hold a problem of each class.
            least_problems: fewest problems with an interval. A probe without an
                interval cannot be compared with its controls.
        """
        least = max(folds, least_problems)
        for name, problems in (
            (contrast.positive, self.positive_problems),
            (contrast.negative, self.negative_problems),
        ):
            if problems < least:
                return (
                    f"{contrast.description}: {self.positives} matched pair(s) with a "
                    f"{name} of {problems} problem(s), fewer than {least}"
                )
        return None
