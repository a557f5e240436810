"""Example traces for the page: how they are chosen, and their text with events."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from doubletake.page.study_data import StudyData, text_after
from doubletake.stats.draws import generator
from doubletake.text.sentences import cut_after
from doubletake.text.trace_positions import thought_span

MARKED = ("arrival", "backtrack", "wrap_up")
OUTCOMES = ("right", "mended", "wrong", "spoiled", "open")
# ASSUME: groups by number of backtracks, with limits chosen by hand.
FEW, SOME = 1, 3  # largest numbers of backtracks of the groups "few" and "some"


@dataclass(frozen=True)
class ExitNote:
    """The model's answer at an exit."""

    number: int
    answer: str | None
    right: bool
    probability: float | None
    tokens: int
    """Number of tokens of the thought before the exit."""


@dataclass(frozen=True)
class Piece:
    """A part of the thought in which the marked events do not change."""

    text: str
    kinds: tuple[str, ...]
    """Kinds of the events that cover it."""
    opens: tuple[str, ...]
    """Kinds of the backtracks and wrap-ups that start with it."""
    arrival: int | None
    """Ordinal of the arrival that ends with it."""
    exits: tuple[tuple[int, ExitNote | None], ...]
    """Exits that cut the thought after it: number, and answer if it was measured."""


@dataclass(frozen=True)
class Example:
    """One trace with everything that the page shows of it."""

    trace: str
    question: str
    gold: str
    answer: str | None
    outcome: str
    """One of `OUTCOMES`."""
    finish: str
    tokens: int
    arrivals: int
    backtracks: int
    start: ExitNote | None
    """The answer at exit 0."""
    pieces: tuple[Piece, ...]
    after: str
    """The text after the thought, without the marker."""


def outcomes(thoughts: pl.DataFrame) -> pl.DataFrame:
    """`thoughts` with the columns `outcome` and `turns` (few, some, many backtracks).

    mended: the first arrival states a wrong value, and the final answer is right.
    spoiled: the first arrival is right, and the final answer is wrong.
    open: the thought was never closed.
    """
    started_right = pl.col("first_gold").fill_null(True)
    has_arrival = pl.col("arrivals") > 0
    outcome = (
        pl.when(~pl.col("closed"))
        .then(pl.lit("open"))
        .when(pl.col("correct"))
        .then(pl.when(started_right).then(pl.lit("right")).otherwise(pl.lit("mended")))
        .when(started_right & has_arrival)
        .then(pl.lit("spoiled"))
        .otherwise(pl.lit("wrong"))
    )
    turns = (
        pl.when(pl.col("backtracks") <= FEW)
        .then(pl.lit("few"))
        .when(pl.col("backtracks") <= SOME)
        .then(pl.lit("some"))
        .otherwise(pl.lit("many"))
    )
    return thoughts.with_columns(outcome=outcome, turns=turns)


def choose(thoughts: pl.DataFrame, number: int, seed: str) -> list[str]:
    """Trace ids of the examples, spread over outcomes and numbers of backtracks.

    Every pair of outcome and turns gives one trace before any pair gives a second one.
    The order inside a pair is drawn. The draw depends only on `seed` and the ids.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    rows = outcomes(thoughts).select("outcome", "turns", "trace").sort("trace")
    for outcome, turns, trace in rows.iter_rows():
        groups.setdefault((outcome, turns), []).append(trace)
    keys = [(o, t) for t in ("many", "some", "few") for o in OUTCOMES]
    queues = [groups[key] for key in keys if key in groups]
    draw = generator(seed)
    for queue in queues:
        draw.shuffle(queue)
    chosen: list[str] = []
    while queues and len(chosen) < number:
        for queue in queues:
            chosen.append(queue.pop())
        queues = [queue for queue in queues if queue]
    return chosen[:number]


def pieces_of(
    trace: dict[str, Any], events: list[dict[str, Any]], exits: dict[int, ExitNote]
) -> tuple[Piece, ...]:
    """The thought's text, cut at every border of an event and at every exit.

    Args:
        trace: a row of the table of traces.
        events: its rows in the table of events.
        exits: its exits, by number.
    """
    text = trace["text"]
    span = thought_span(trace)
    marks = [event for event in events if event["kind"] in MARKED]
    cuts = _cuts(text, marks, span.end)
    borders = {span.start, span.end, *cuts.values()}
    for mark in marks:
        borders |= {mark["start"], mark["end"]}
    inside = sorted(border for border in borders if span.start <= border <= span.end)
    return tuple(
        _piece(
            text[start:end],
            [mark for mark in marks if mark["start"] <= start and mark["end"] >= end],
            (start, end),
            tuple((k, exits.get(k)) for k, cut in cuts.items() if cut == end),
        )
        for start, end in pairwise(inside)
    )


def _cuts(text: str, marks: list[dict[str, Any]], limit: int) -> dict[int, int]:
    """Position of the cut of exit k: after the sentence of arrival k, by k."""
    thought = text[:limit]
    return {
        mark["ordinal"]: cut_after(thought, mark["end"])
        for mark in marks
        if mark["kind"] == "arrival" and mark["end"] <= limit
    }


def _piece(
    text: str,
    covering: list[dict[str, Any]],
    span: tuple[int, int],
    exits: tuple[tuple[int, ExitNote | None], ...],
) -> Piece:
    """One piece; the events of `covering` cover it."""
    start, end = span
    arrivals = [
        mark["ordinal"]
        for mark in covering
        if mark["kind"] == "arrival" and mark["end"] == end
    ]
    opens = [
        mark["kind"]
        for mark in covering
        if mark["kind"] != "arrival" and mark["start"] == start
    ]
    return Piece(
        text,
        tuple(mark["kind"] for mark in covering),
        tuple(opens),
        arrivals[0] if arrivals else None,
        exits,
    )


def examples(data: StudyData, number: int, seed: int) -> list[Example]:
    """The chosen traces of a study, most backtracks first."""
    ids = choose(data.thoughts, number, f"{seed}/{data.model}/{data.dataset}")
    traces = {row["trace"]: row for row in _rows(data, "traces", ids)}
    events = _grouped(_rows(data, "events", ids))
    exits = _grouped(_rows(data, "early_exit", ids))
    problems = {row["problem"]: row for row in data.tables["problems"].to_dicts()}
    shown = outcomes(data.thoughts).filter(pl.col("trace").is_in(ids))
    return [
        _example(
            row,
            traces[row["trace"]],
            problems[row["problem"]],
            events.get(row["trace"], []),
            exits.get(row["trace"], []),
        )
        for row in shown.sort(
            ["backtracks", "trace"], descending=[True, False]
        ).to_dicts()
    ]


def _rows(data: StudyData, table: str, ids: list[str]) -> list[dict[str, Any]]:
    return data.tables[table].filter(pl.col("trace").is_in(ids)).to_dicts()


def _grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["trace"], []).append(row)
    return groups


def _example(
    thought: dict[str, Any],
    trace: dict[str, Any],
    problem: dict[str, Any],
    events: list[dict[str, Any]],
    exits: list[dict[str, Any]],
) -> Example:
    notes = {row["exit"]: _note(row) for row in exits}
    return Example(
        trace=trace["trace"],
        question=problem["question"],
        gold=problem["gold"],
        answer=trace["answer"],
        outcome=thought["outcome"],
        finish=trace["finish"],
        tokens=thought["tokens"],
        arrivals=thought["arrivals"],
        backtracks=thought["backtracks"],
        start=notes.get(0),
        pieces=pieces_of(trace, events, notes),
        after=text_after(trace).strip(),
    )


def _note(row: dict[str, Any]) -> ExitNote:
    logprob = row["whole_logprob"]
    return ExitNote(
        number=row["exit"],
        answer=row["answer"],
        right=row["correct"],
        # Rounding can make the log-prob of a certain answer slightly larger than 0.
        probability=None if logprob is None else min(1.0, math.exp(logprob)),
        tokens=row["tokens_before"],
    )
