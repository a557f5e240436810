"""The boundaries: where thoughts are cut, right before a sentence.

Half of them are selected backtracks, and a quarter are matched controls of these. The
rest lie right after the sentence of an arrival where the thought does not turn back. A
kind with fewer of them leaves its share empty.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.sentences import cut_after, sentences
from doubletake.text.trace_positions import first_token, thought_span
from matches.reading import control_pairs
from resampling.names import ARRIVAL, BACKTRACK, CONTROL
from turns.reading import drawn_backtracks


@dataclass(frozen=True, eq=False)
class Boundary:
    """A place before a sentence of a thought."""

    thought: DrawnThought
    kind: str
    event: int | None
    """Number of the backtrack or control within the trace."""
    position: int
    """The last token that is kept, counted in the trace."""
    start: int
    """Character of the trace's text at which the next sentence starts."""
    turned: bool
    """Whether the study's thought turns back there."""

    @property
    def name(self) -> tuple[str, int]:
        """Tells boundaries apart."""
        return (self.thought.name, self.position)

    @property
    def problem(self) -> str:
        """Id of the problem."""
        return str(self.thought.trace["problem"])

    @property
    def kept(self) -> int:
        """Number of tokens of the completion that are kept."""
        return self.position + 1 - len(self.thought.trace["prompt_ids"])

    @property
    def ids(self) -> tuple[int, ...]:
        """These tokens."""
        return tuple(self.thought.trace["completion_ids"][: self.kept])

    @property
    def cut(self) -> int:
        """Character of the trace's text after the kept tokens."""
        return int(self.thought.trace["offsets"][self.kept])

    @property
    def prefix(self) -> list[int]:
        """Prompt and kept tokens."""
        return [*self.thought.trace["prompt_ids"], *self.ids]


@dataclass(frozen=True)
class StudyTables:
    """What boundaries are drawn from."""

    thoughts: Mapping[str, DrawnThought]
    """By trace: those that the model can read."""
    events: pl.DataFrame
    """`EVENTS`."""
    turns: pl.DataFrame
    """`TURNS`."""
    matches: pl.DataFrame
    """`MATCHES`."""


def drawn_boundaries(tables: StudyTables, count: int, seed: int) -> list[Boundary]:
    """The boundaries of all shards, in the order of problem, trace and position."""
    is_readable = pl.col("trace").is_in(list(tables.thoughts))
    backtracks = drawn_backtracks(tables.turns.filter(is_readable), count // 2, seed)
    partners = _partners(tables, backtracks).filter(is_readable).head(count // 4)
    chosen: dict[tuple[str, int], Boundary] = {}
    for kind, rows in ((BACKTRACK, backtracks), (CONTROL, partners)):
        for row in rows.iter_rows(named=True):
            one = _of_event(tables, kind, row)
            if one is not None:
                chosen.setdefault(one.name, one)
    rest = count - count // 2 - count // 4
    others = [one for one in _after_arrivals(tables) if one.name not in chosen]
    for one in one_of_each_problem(others, seed)[:rest]:
        chosen[one.name] = one
    return sorted(chosen.values(), key=lambda one: (one.problem, *one.name))


def one_of_each_problem(boundaries: Iterable[Boundary], seed: int) -> list[Boundary]:
    """In seeded order: one of each problem before a second of any."""
    by_name = {one.name: one for one in boundaries}
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Boundary]] = []
    for name in ranked_by_digest(by_name, f"arrivals/{seed}"):
        one = by_name[str(name[0]), int(name[1])]
        ranked.append((seen[one.problem], len(ranked), one))
        seen[one.problem] += 1
    return [one for _, _, one in sorted(ranked, key=lambda item: item[:2])]


def _partners(tables: StudyTables, backtracks: pl.DataFrame) -> pl.DataFrame:
    """The matched controls of backtracks, in the order of these."""
    selected = tables.turns.filter("selected")
    pairs = control_pairs(tables.matches, selected)
    order = backtracks.select("trace", "event").with_row_index("place")
    own = pairs.filter("label").join(order, on=["trace", "event"])
    return (
        pairs.filter(~pl.col("label"))
        .join(own.select("pair", "place"), on="pair")
        .sort("place", "trace", "event")
        .select("trace", "event")
    )


def _of_event(tables: StudyTables, kind: str, row: dict[str, Any]) -> Boundary | None:
    """The boundary before the sentence of an event; None: inside of a token."""
    trace, event = row["trace"], row["event"]
    (start,) = tables.events.filter(trace=trace, event=event)["start"]
    return boundary_at(tables.thoughts[trace], kind, start, event, kind == BACKTRACK)


def boundary_at(
    thought: DrawnThought, kind: str, start: int, event: int | None, turned: bool
) -> Boundary | None:
    """The boundary before a sentence.

    Args:
        thought: of the study.
        kind: of the boundary.
        start: character of the trace's text at which the sentence starts.
        event: its number, if it is one.
        turned: whether it turns back.

    Returns:
        None if its first token also holds a part of the sentence before.
    """
    token = first_token(thought.trace, start)
    if token is None:
        return None
    return Boundary(thought, kind, event, token - 1, start, turned)


def _after_arrivals(tables: StudyTables) -> list[Boundary]:
    """Boundaries after the sentence of an arrival, where the thought does not turn."""
    kinds = tables.events.filter(pl.col("kind").is_in([ARRIVAL, BACKTRACK]))
    found: list[Boundary] = []
    for (trace,), events in kinds.group_by("trace", maintain_order=True):
        if trace not in tables.thoughts:
            continue
        thought = tables.thoughts[str(trace)]
        shift, stop = thought_span(thought.trace)
        text = thought.trace["text"][shift:stop]
        starts = [span.start for span in sentences(text)]
        turns = set(events.filter(kind=BACKTRACK)["start"])
        for end in events.filter(kind=ARRIVAL)["end"]:
            if not shift < end <= stop:
                continue
            cut = cut_after(text, end - shift)
            start = next((one + shift for one in starts if one >= cut), None)
            if start is not None and start not in turns:
                one = boundary_at(thought, ARRIVAL, start, None, False)
                found += [] if one is None else [one]
    return found
