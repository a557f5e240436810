"""Where the model may turn back: right after the sentence of an arrival."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import Name, ranked_by_digest
from doubletake.text.sentences import cut_after
from doubletake.text.trace_positions import token_at


@dataclass(frozen=True)
class Boundary:
    """The end of an arrival's sentence."""

    trace: str
    problem: str
    event: int
    """Number of the arrival within the trace."""
    position: int
    """The token that predicts the first token of the next sentence, counted in the
    trace: white space that follows the arrival's sentence is read."""

    @property
    def name(self) -> Name:
        """What seeded draws know it by."""
        return (self.trace, self.event)


def boundaries_of(trace: dict[str, Any], arrivals: pl.DataFrame) -> list[Boundary]:
    """The boundaries of one thought, in order.

    Left out are boundaries inside of a token, those after which the thought ends, and a
    second arrival in one sentence.

    Args:
        trace: a row of `TRACES`.
        arrivals: its rows of `EVENTS`.
    """
    start, stop = trace["thought_start"], trace["thought_stop"]
    text, offsets = trace["text"], trace["offsets"]
    thought = text[start:stop]
    prompt = len(trace["prompt_ids"])
    found: dict[int, Boundary] = {}
    for event, end in arrivals.sort("event").select("event", "end").iter_rows():
        if not start < end <= stop:
            continue
        cut = start + cut_after(thought, end - start)
        following = text[cut:stop].lstrip()
        if not following:
            continue
        token = token_at(offsets, prompt, stop - len(following))
        if offsets[token - prompt] >= cut:
            place = Boundary(trace["trace"], trace["problem"], event, token - 1)
            found.setdefault(place.position, place)
    return list(found.values())


def boundaries_in(
    traces: pl.DataFrame, events: pl.DataFrame, problems: Collection[str]
) -> list[Boundary]:
    """All boundaries of the thoughts on these problems.

    Args:
        traces: `TRACES`.
        events: `EVENTS`.
        problems: those of one part.
    """
    arrivals = events.filter(kind="arrival").partition_by("trace", as_dict=True)
    found: list[Boundary] = []
    for trace in traces.filter(pl.col("problem").is_in(list(problems))).to_dicts():
        if (trace["trace"],) in arrivals:
            found += boundaries_of(trace, arrivals[(trace["trace"],)])
    return found


def drawn_boundaries(
    boundaries: list[Boundary], count: int | None, seed: int
) -> list[Boundary]:
    """Some boundaries, drawn by seed and name, in the order of trace and event.

    Args:
        boundaries: all of them.
        count: how many; None: all.
        seed: of the draw.
    """
    kept = set(ranked_by_digest([one.name for one in boundaries], seed)[:count])
    chosen = [one for one in boundaries if one.name in kept]
    return sorted(chosen, key=lambda one: one.name)
