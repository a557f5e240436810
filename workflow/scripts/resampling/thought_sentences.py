"""The sentences of a thought, and what each of them is."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import first_token, thought_span
from resampling.names import ARRIVAL, BACKTRACK, OTHER


@dataclass(frozen=True)
class Sentence:
    """A sentence of a thought of the study."""

    number: int
    """From 0."""
    start: int
    """Character of the trace's text."""
    end: int
    kind: str
    """Of `SENTENCE_KINDS`; a sentence that turns back and arrives is a backtrack."""
    cause: bool | None
    """Whether it holds a planted cause to turn back later; None: not known."""


def sentences_of(
    trace: dict[str, Any], events: pl.DataFrame, truth: pl.DataFrame | None
) -> list[Sentence]:
    """The sentences of a thought, in order.

    Args:
        trace: a row of `TRACES`.
        events: `EVENTS`.
        truth: `TRUTH`; None without a planted language.
    """
    shift, stop = thought_span(trace)
    own = events.filter(trace=trace["trace"])
    turns = own.filter(kind=BACKTRACK)["start"].to_list()
    arrivals = own.filter(kind=ARRIVAL)["start"].to_list()
    causes: list[int] | None = None
    if truth is not None:
        decided = truth.filter(trace=trace["trace"], cause_in="thought")
        causes = decided["cause_start"].to_list()
    found = []
    for number, span in enumerate(sentences(trace["text"][shift:stop])):
        start, end = span.start + shift, span.end + shift

        def holds(characters: list[int], inside: range = range(start, end)) -> bool:
            return any(one in inside for one in characters)

        kind = ARRIVAL if holds(arrivals) else OTHER
        kind = BACKTRACK if start in turns else kind
        cause = None if causes is None else holds(causes)
        found.append(Sentence(number, start, end, kind, cause))
    return found


def kept_before(trace: dict[str, Any], start: int) -> int | None:
    """How many tokens of a completion come before a sentence; None: inside of one.

    Args:
        trace: a row of `TRACES`.
        start: of the sentence, character of the trace's text; at the end of the
            thought, the tokens up to there.
    """
    if start >= trace["thought_stop"]:
        return kept_after(trace, start)
    token = first_token(trace, start)
    return None if token is None else token - len(trace["prompt_ids"])


def kept_after(trace: dict[str, Any], end: int) -> int | None:
    """How many tokens of a completion end with a sentence; None: inside of one.

    Args:
        trace: a row of `TRACES`.
        end: of the sentence, character of the trace's text.
    """
    offsets = [*trace["offsets"], len(trace["text"])]
    kept = next(k for k, offset in enumerate(offsets) if offset >= end)
    between = trace["text"][end : offsets[kept]]
    return None if between.strip() else kept
