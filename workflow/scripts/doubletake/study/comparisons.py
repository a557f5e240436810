"""What the figure of several studies shows of an experiment: declared, then drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEPTH = "depth in the model (share of its layers)"
"""Label of an axis with `of_last`."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A value of a table with its interval, one colour for each study."""

    title: str
    """Above the panel: the value with its unit."""
    table: str
    """Name of the table in the study."""
    across: str
    """Column of the places: numbers make a line, words a row each."""
    value: str
    """Column of the value; its interval has the suffixes `_low` and `_high`."""
    where: Mapping[str, object] = field(default_factory=dict)
    """The rows that are drawn: value by column; None: null."""
    ends: tuple[str, str] | None = None
    """Columns of the interval, if they are not VALUE_low and VALUE_high."""
    measured_once: bool = False
    """Whether the value has no interval; its caption says why."""
    beside: tuple[str, ...] = ()
    """Columns with what the value is compared with; the highest is drawn as dashes."""
    nothing: float | None = None
    """Where nothing happens: chance, or no effect. A dotted line."""
    percent: bool = False
    axis: str = ""
    """Label of the axis of the places, if they are numbers."""
    only: str = ""
    """Why a study may have nothing here, e.g. "planted languages only"."""
    of_last: bool = False
    """Places are divided by the last one: layers of models of unlike depth."""

    @property
    def interval(self) -> tuple[str, str] | None:
        """Columns of the interval's ends; None without an interval."""
        if self.measured_once:
            return None
        return self.ends or (f"{self.value}_low", f"{self.value}_high")

    @property
    def columns(self) -> list[str]:
        """All columns that the panel reads."""
        return [
            self.across,
            self.value,
            *(self.interval or ()),
            *self.beside,
            *self.where,
        ]


@dataclass(frozen=True)
class Comparison:
    """The figure that compares all studies in an experiment."""

    caption: str
    """Explains the panels, and says with what each number is compared."""
    panels: tuple[Panel, ...]
    """At most four."""
