"""The arrivals of a running thought: the answers held there, and what follows them."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import polars as pl

from doubletake.detector.causal import CausalEvents, detect_causal
from doubletake.text.trace_positions import thought_span
from pocket.reading import TURN
from repair.tables import AHEAD, ARRIVALS, BEGUN, STRAIGHT


class Turn(NamedTuple):
    """A sentence that turns back, in characters of the thought."""

    start: int
    end: int
    cause: str | None = None


def arrivals_of(
    points: pl.DataFrame,
    traces: pl.DataFrame,
    questions: dict[str, str],
    events: pl.DataFrame,
    truth: pl.DataFrame,
) -> pl.DataFrame:
    """`ARRIVALS` of all thoughts with trial points, in the order of the traces.

    Args:
        points: `TRIAL_POINTS`.
        traces: `TRACES`, with all traces of the points.
        questions: by problem.
        events: `EVENTS`, of the detector that reads whole thoughts.
        truth: `TRUTH`, empty without a planted language.
    """
    of_trace = points.sort("trace", "point").partition_by("trace", as_dict=True)
    full = _by_trace(events.filter(kind="arrival"))
    planted = _by_trace(truth.filter(choice=TURN))
    rows: list[dict[str, Any]] = []
    for trace in traces.iter_rows(named=True):
        own = of_trace.get((trace["trace"],))
        if own is None:
            continue
        start, stop = thought_span(trace)
        thought = trace["text"][start:stop]
        found = detect_causal(questions[trace["problem"]], thought)
        starts = {row["start"] - start for row in full.get(trace["trace"], [])}
        turns = [
            Turn(row["start"] - start, row["end"] - start, row["cause"])
            for row in planted.get(trace["trace"], [])
        ]
        rows += thought_rows(trace, own.to_dicts(), found, starts, turns)
    return ARRIVALS.frame(rows)


def thought_rows(
    trace: dict[str, Any],
    points: list[dict[str, Any]],
    found: CausalEvents,
    full_starts: set[int],
    planted: list[Turn],
) -> Iterator[dict[str, Any]]:
    """Rows of `ARRIVALS` of one thought.

    Args:
        trace: a row of `TRACES`.
        points: its rows of `TRIAL_POINTS`, in order; the last is its end.
        found: events of the causal detector in the thought.
        full_starts: where the arrivals of the other detector begin in the thought.
        planted: planted turns of the thought.
    """
    arrivals = [row for row in points if row["arrival"]]
    end = points[-1]
    turns = [Turn(one.event.start, one.event.end) for one in found.backtracks]
    known = 0
    for here, following in zip(arrivals, [*arrivals[1:], end], strict=False):
        new = found.arrivals[known : here["arrivals"]]
        known = here["arrivals"]
        held = found.arrivals[known - 1].event.end
        cut = cut_at(trace, here)
        after = len(trace["text"]) if following is end else cut_at(trace, following)
        turn, _ = turn_after(held, cut, after, turns)
        _, cause = turn_after(held, cut, after, planted)
        yield {
            "trace": trace["trace"],
            "problem": trace["problem"],
            "point": here["point"],
            "arrival": known,
            "known": len(new),
            "in_events": sum(one.event.start in full_starts for one in new),
            "answer": here["answer"],
            "correct": here["correct"],
            "next_answer": following["answer"],
            "next_correct": following["correct"],
            "forced_end_correct": end["correct"],
            "end_correct": trace["correct"],
            "tokens_next": following["tokens_before"] - here["tokens_before"],
            "tokens_after": end["tokens_before"] - here["tokens_before"],
            "turn": turn,
            "turns": len(turns),
            "cause": cause,
        }


def cut_at(trace: dict[str, Any], point: dict[str, Any]) -> int:
    """Characters of the thought before a trial point.

    Args:
        trace: a row of `TRACES`.
        point: a row of `TRIAL_POINTS`.
    """
    offsets, index = trace["offsets"], point["token"] - len(trace["prompt_ids"])
    end = offsets[index] if index < len(offsets) else len(trace["text"])
    return int(end - trace["thought_start"])


def turn_after(
    held: int, cut: int, following: int, turns: Iterable[Turn]
) -> tuple[str, str | None]:
    """Whether the thought turns back after an arrival, and the cause of this turn.

    A turn that ends after the point is ahead, also if its first words stand before it.
    A turn between the arrival and its point has begun: a question such as "But what
    about the shells?" shows the arrival at its end only.

    Args:
        held: where the sentence part of the arrival ends, in the thought.
        cut: characters before the arrival's point.
        following: characters before the next arrival's point, or before the end.
        turns: in order.
    """
    begun = None
    for turn in turns:
        if cut < turn.end <= following:
            return AHEAD, turn.cause
        if begun is None and held <= turn.start and turn.end <= cut:
            begun = turn
    return (STRAIGHT, None) if begun is None else (BEGUN, begun.cause)


def _by_trace(table: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows of a table by trace, in order of their start."""
    parts = table.sort("start").partition_by("trace", as_dict=True)
    return {str(name): part.to_dicts() for (name,), part in parts.items()}
