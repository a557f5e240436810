"""Contents of an experiment's section of the page, as plain data.

Title, question and figures are in its declaration (`doubletake.study.declaration`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from doubletake.page.study_data import StudyData

LONGEST = 20  # rows of the longest table that is not folded


@dataclass(frozen=True)
class Sheet:
    """A table of text cells, ready for the page."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    """Indices of columns with words. All other columns hold numbers, right-aligned."""
    note: str = ""
    """A sentence below the table."""
    folded: bool = False
    """Whether a short table is folded too: its rows show only after a click."""

    @property
    def folds(self) -> bool:
        """Whether the rows show only after a click; always true for long tables."""
        return self.folded or len(self.rows) > LONGEST


@dataclass(frozen=True)
class Tile:
    """A number in large print at the top of a study."""

    value: str
    label: str
    base: str
    """The number of cases behind the number."""


@dataclass(frozen=True)
class HeatToken:
    """A token of a heat map."""

    text: str
    value: str
    """Its score, shown when a reader points at the token."""
    shade: int
    """Strength of the shade, -3 to 3; 0: no shade."""


@dataclass(frozen=True)
class HeatMap:
    """The tokens before a decision, shaded by score."""

    title: str
    note: str
    question: tuple[HeatToken, ...]
    thought: tuple[HeatToken, ...]
    decision: str
    """The token of the decision, without a shade."""


def no_tiles(_: StudyData) -> list[Tile]:
    """For experiments without tiles."""
    return []


def no_maps(_: StudyData) -> list[HeatMap]:
    """For experiments without heat maps."""
    return []


@dataclass(frozen=True)
class Section:
    """Contents of an experiment's section: `SECTION` in its `page.py`."""

    headline: Callable[[StudyData], str]
    """The answer in one sentence with numbers; says if there is no data."""
    findings: Callable[[StudyData], list[str]]
    """Further sentences with numbers."""
    sheets: Callable[[StudyData], list[Sheet]]
    """Printed tables."""
    cases: dict[str, Callable[[StudyData], str]]
    """For each figure, a sentence on its number of cases and on cases left out."""
    tiles: Callable[[StudyData], list[Tile]] = no_tiles
    """Tiles for the top of the study."""
    maps: Callable[[StudyData], list[HeatMap]] = no_maps
    """Token heat maps."""
