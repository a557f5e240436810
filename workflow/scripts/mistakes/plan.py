"""Which thoughts are changed: right ones with a place, and those with an own slip.

The plan does not depend on the number of shards.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from mistakes.sites import Thought, own_site, read_thought, sites_of


@dataclass(frozen=True)
class Plan:
    """The thoughts that are changed, and those that hold a slip of their own."""

    right: list[Thought]
    own: list[Thought]
    further: list[Thought]
    """Right thoughts that are continued to the next boundary only."""


def planned(
    thoughts: Iterable[Thought],
    count: int | None,
    own: int | None,
    further: int,
    seed: int,
    has_slip: Callable[[Thought], bool],
) -> Plan:
    """Thoughts in seeded order, one of each problem before a second of any.

    Args:
        thoughts: of the study.
        count: right thoughts with a place to change; None: all.
        own: thoughts with a slip of their own; None: all.
        further: of the other right thoughts, those in which `has_slip` finds a slip.
        seed: of the draw.
        has_slip: whether the planted language would write a slip in a thought.
    """
    read = list(thoughts)
    right = [one for one in read if sites_of(one)]
    slipped = [one for one in read if own_site(one) is not None]
    ordered = _ordered(right, seed)
    chosen = ordered[:count]
    more = (one for one in ordered[len(chosen) :] if further and has_slip(one))
    return Plan(chosen, _ordered(slipped, seed)[:own], list(islice(more, further)))


def _ordered(thoughts: list[Thought], seed: int) -> list[Thought]:
    by_name = {one.name: one for one in thoughts}
    seen: Counter[str] = Counter()
    ranks: list[tuple[int, int, str]] = []
    for (name,) in ranked_by_digest(((name,) for name in by_name), seed):
        problem = by_name[str(name)].drawn.trace["problem"]
        ranks.append((seen[problem], len(ranks), str(name)))
        seen[problem] += 1
    return [by_name[name] for _, _, name in sorted(ranks)]


def thoughts_of(
    traces: pl.DataFrame, problems: pl.DataFrame, events: pl.DataFrame
) -> list[Thought]:
    """All thoughts of a study, read.

    Args:
        traces: `TRACES`.
        problems: `PROBLEMS`.
        events: `EVENTS`.
    """
    known = {
        name: (gold, question)
        for name, gold, question in problems.select(
            "problem", "gold", "question"
        ).iter_rows()
    }
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for event in events.iter_rows(named=True):
        by_trace.setdefault(event["trace"], []).append(event)
    return [
        read_thought(
            DrawnThought(row, *known[row["problem"]]), by_trace.get(row["trace"], [])
        )
        for row in traces.iter_rows(named=True)
    ]
