"""Finds the selected turns of each trace, and the token bins of their positions."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import torch

from attention.tables import KINDS
from attention.token_bins import TokenBinner, bins_of
from doubletake.running.errors import InputError


@dataclass(frozen=True)
class SelectedTurn:
    """One position at which attention is read."""

    event: int
    kind: str
    position: int


@dataclass(frozen=True)
class TraceTurns:
    """One trace with its selected turns, as it goes through the model."""

    trace: str
    problem: str
    ids: list[int]
    """Prompt and completion up to the last selected position."""
    turns: list[SelectedTurn]
    """In the order of their positions."""
    bins: torch.Tensor
    """[position, bin, 2], start and stop of every bin."""


def selected_turns(rows: list[dict[str, Any]]) -> list[SelectedTurn]:
    """Selected backtracks and controls of a trace, in the order of their positions.

    Args:
        rows: rows of `turns.tables.TURNS` of one trace.
    """
    turns = [
        SelectedTurn(row["event"], row["kind"], row["position"])
        for row in rows
        if row["selected"] and row["kind"] in KINDS
    ]
    return sorted(turns, key=lambda turn: (turn.position, turn.event))


def traces_with_turns(
    traces: pl.DataFrame, events: pl.DataFrame, turns: pl.DataFrame
) -> list[TraceTurns]:
    """Every trace that has a selected backtrack or control.

    Args:
        traces: `traces.tables.TRACES`.
        events: `events.tables.EVENTS`; only arrivals are used.
        turns: `turns.tables.TURNS`.

    Raises:
        InputError: a position lies beyond the end of its trace.
    """
    arrivals = _by_trace(events.filter(pl.col("kind") == "arrival"))
    turn_rows = _by_trace(turns.sort("trace", "event"))
    inputs = []
    for row in traces.iter_rows(named=True):
        selected = selected_turns(turn_rows.get(row["trace"], []))
        if not selected:
            continue
        ids = row["prompt_ids"] + row["completion_ids"]
        last = selected[-1].position
        if last >= len(ids):
            raise InputError(
                f"turns: position {last} lies beyond the end of trace {row['trace']}, "
                f"which has {len(ids)} tokens"
            )
        tokens = [event["token"] for event in arrivals.get(row["trace"], [])]
        positions = [turn.position for turn in selected]
        inputs.append(
            TraceTurns(
                trace=row["trace"],
                problem=row["problem"],
                ids=ids[: last + 1],
                turns=selected,
                bins=bins_of(TokenBinner(row, tokens), positions),
            )
        )
    return inputs


def _by_trace(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    parts = rows.partition_by("trace", as_dict=True)
    return {str(trace): part.to_dicts() for (trace,), part in parts.items()}
