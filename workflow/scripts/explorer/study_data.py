"""The chunks of one study: its list, its thoughts, its turns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.study.registry import tables as contracts
from doubletake.study.study_tables import StudyTables
from doubletake.text.tokenizer import TraceTokenizer
from explorer.chunks import write_chunk
from explorer.parts import (
    EXITS,
    THOUGHT_PARTS,
    TURN_PARTS,
    shown_parts,
    shown_views,
)
from explorer.thoughts import listed, records
from explorer.turns import BINS, PROFILES, turn_records


@dataclass(frozen=True)
class ShownStudy:
    """A study in the explorer."""

    name: str
    """model/dataset."""
    folder: Path
    """Of its results."""
    views: frozenset[str]
    """What is shown of it, if it is made."""
    tables: frozenset[str]
    """Names of the tables that are made."""
    metric: str
    """What was attributed (`attribution.metric` of the config)."""
    chunk_thoughts: int
    """Thoughts in a chunk."""
    chunk_turns: int
    """Turns in a chunk."""

    @property
    def parts(self) -> set[str]:
        """Names of the parts that are shown."""
        return {part.name for part in shown_parts(self.views, self.tables)}


def write_study(
    study: ShownStudy, number: int, tokenizer: TraceTokenizer, folder: Path
) -> dict[str, Any]:
    """Write the chunks of a study; return what the page's index says of it.

    Args:
        study: what is shown.
        number: of the study among all.
        tokenizer: of its model.
        folder: of all chunks.
    """
    tables = StudyTables(study.folder)
    shown = study.parts
    rows = listed(tables, exits=EXITS in shown)
    parts = [part for part in THOUGHT_PARTS if part.name in shown]
    thoughts = records(tables, parts, tokenizer)
    turns = turn_records(tables, shown, tokenizer.text_of)
    for k, part in enumerate(_runs(thoughts, study.chunk_thoughts)):
        write_chunk(folder, f"{number}-thoughts-{k}", part)
    places: dict[str, int] = {}
    for k, keys in enumerate(_runs(list(turns), study.chunk_turns)):
        write_chunk(
            folder,
            f"{number}-turns-{k}",
            {f"{trace} {event}": turns[trace, event] for trace, event in keys},
        )
        places |= {f"{trace} {event}": k for trace, event in keys}
    write_chunk(
        folder,
        f"{number}-list",
        {
            "columns": {name: rows[name].to_list() for name in rows.columns},
            "questions": dict(
                tables["problems"].select("problem", "question").iter_rows()
            ),
            "golds": dict(tables["problems"].select("problem", "gold").iter_rows()),
            "turns": places,
        },
    )
    return {
        "name": study.name,
        "thoughts": rows.height,
        "chunk": study.chunk_thoughts,
        "views": sorted(shown_views(study.views, study.tables)),
        "metric": study.metric,
    }


def legend() -> dict[str, dict[str, Any]]:
    """Of every part: its table, and the columns with their meaning and unit."""
    known = contracts()
    shown = {}
    for part in (*THOUGHT_PARTS, *TURN_PARTS):
        columns = {column.name: column for column in known[part.table].columns}
        shown[part.name] = {
            "table": part.table,
            "columns": list(part.columns),
            "meanings": [
                columns[name].meaning
                + (f" ({columns[name].unit})" if columns[name].unit else "")
                for name in part.columns
            ],
        }
    return shown | {"bins": {"columns": list(BINS)}, "profiles": {"tokens": PROFILES}}


def _runs(items: list[Any], size: int) -> Iterator[list[Any]]:
    """Consecutive items, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
