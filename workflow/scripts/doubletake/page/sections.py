"""What an experiment puts on the report's page, as plain data.

Its title, its question and its figures are declared (`doubletake.study.declaration`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from doubletake.page.summaries import StudyData

LONGEST = 20  # rows that are printed without being asked for


@dataclass(frozen=True)
class Sheet:
    """A table as it is printed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    """Columns that hold words; the others hold figures, right-aligned."""
    note: str = ""
    """A sentence below the table."""
    folded: bool = False
    """Whether it opens only when asked for, however short it is."""

    @property
    def folds(self) -> bool:
        """Whether it opens only when asked for: long tables always do."""
        return self.folded or len(self.rows) > LONGEST


@dataclass(frozen=True)
class Tile:
    """One figure that stands out."""

    value: str
    label: str
    base: str
    """The cases behind it."""


@dataclass(frozen=True)
class HeatToken:
    """A token of a heat map."""

    text: str
    value: str
    """Its score, as shown when pointed at."""
    shade: int
    """-3 to 3; 0 is not shaded."""


@dataclass(frozen=True)
class HeatMap:
    """The tokens before a decision, shaded by score."""

    title: str
    note: str
    question: tuple[HeatToken, ...]
    thought: tuple[HeatToken, ...]
    decision: str
    """The deciding token, which is not shaded."""


def no_tiles(_: StudyData) -> list[Tile]:
    """For experiments without a figure at the top of the study."""
    return []


def no_maps(_: StudyData) -> list[HeatMap]:
    """For experiments without heat maps."""
    return []


@dataclass(frozen=True)
class Section:
    """What one experiment shows of a study; `SECTION` of its `page.py`."""

    headline: Callable[[StudyData], str]
    """The answer in one sentence with numbers, also where there is nothing to say."""
    findings: Callable[[StudyData], list[str]]
    """Further sentences with numbers."""
    sheets: Callable[[StudyData], list[Sheet]]
    """Printed tables."""
    cases: dict[str, Callable[[StudyData], str]]
    """By figure: how many cases stand behind it, and what is left out."""
    tiles: Callable[[StudyData], list[Tile]] = no_tiles
    """Figures for the top of the study."""
    maps: Callable[[StudyData], list[HeatMap]] = no_maps
    """Token heat maps."""
