"""Where attention is read: the selected turns of a trace, each with its bins."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import torch

from attention.bins import Binner, bins_of
from attention.tables import KINDS
from doubletake.running.errors import InputError


@dataclass(frozen=True)
class Place:
    """One wanted position."""

    event: int
    kind: str
    position: int


@dataclass(frozen=True)
class Item:
    """One trace on its way through the model."""

    trace: str
    problem: str
    ids: list[int]
    """Prompt and completion up to the last wanted position."""
    places: list[Place]
    """In the order of their positions."""
    bins: torch.Tensor
    """[position, bin, 2], start and stop of every bin."""


def wanted(turns: list[dict[str, Any]]) -> list[Place]:
    """Selected backtracks and controls of a trace, in the order of their positions.

    Args:
        turns: rows of `schemas.TURNS` of one trace.
    """
    places = [
        Place(row["event"], row["kind"], row["position"])
        for row in turns
        if row["selected"] and row["kind"] in KINDS
    ]
    return sorted(places, key=lambda place: (place.position, place.event))


def items_of(
    traces: pl.DataFrame, events: pl.DataFrame, turns: pl.DataFrame
) -> list[Item]:
    """What the pass needs to know of every trace that has a wanted position.

    Args:
        traces: `schemas.TRACES`.
        events: `schemas.EVENTS`, of which the arrivals count.
        turns: `schemas.TURNS`.

    Raises:
        InputError: a position beyond its trace.
    """
    arrivals = _by_trace(events.filter(pl.col("kind") == "arrival"))
    of_trace = _by_trace(turns.sort("trace", "event"))
    items = []
    for row in traces.iter_rows(named=True):
        places = wanted(of_trace.get(row["trace"], []))
        if not places:
            continue
        ids = row["prompt_ids"] + row["completion_ids"]
        last = places[-1].position
        if last >= len(ids):
            raise InputError(
                f"turns: position {last} lies beyond trace {row['trace']} of "
                f"{len(ids)} tokens"
            )
        found = [event["token"] for event in arrivals.get(row["trace"], [])]
        items.append(
            Item(
                trace=row["trace"],
                problem=row["problem"],
                ids=ids[: last + 1],
                places=places,
                bins=bins_of(Binner(row, found), [place.position for place in places]),
            )
        )
    return items


def _by_trace(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    parts = rows.partition_by("trace", as_dict=True)
    return {str(trace): part.to_dicts() for (trace,), part in parts.items()}
