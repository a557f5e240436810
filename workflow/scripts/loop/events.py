"""The backtracks of a shard, with the tokens before each."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from directions.tables import FIT


@dataclass(frozen=True)
class Event:
    """A backtrack of the shard."""

    row: dict[str, Any]
    """Of `TURNS`."""
    ids: list[int]
    """Tokens up to the position."""
    part: str
    """Of its problem."""

    @property
    def name(self) -> tuple[str, int]:
        """Trace and number."""
        return self.row["trace"], self.row["event"]


def events_of(
    turns: pl.DataFrame, traces: pl.DataFrame, parts: pl.DataFrame, longest: int
) -> list[Event]:
    """The events, in the order of `turns`; too long ones are left out.

    Args:
        turns: rows of `TURNS`.
        traces: `TRACES`.
        parts: `DIRECTION_PROBLEMS`.
        longest: tokens that the model attends to.
    """
    part_of = dict(parts.select("problem", "part").iter_rows())
    columns = traces.select("trace", "prompt_ids", "completion_ids").iter_rows()
    ids = {trace: prompt + completion for trace, prompt, completion in columns}
    return [
        Event(row, ids[row["trace"]][: row["position"] + 1], part)
        for row in turns.iter_rows(named=True)
        if row["position"] < longest
        for part in [part_of.get(row["problem"], FIT)]
    ]
