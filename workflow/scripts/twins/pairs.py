"""Pairs of contexts in tokens: with a planted cause, and without it."""

from bisect import bisect_left
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.stats.draws import Name, ranked_by_digest
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span, token_at
from pocket.reading import (
    NONE,
    QUESTION,
    THOUGHT,
    Edit,
    NoTwinError,
    edited,
    twin_of,
)


@dataclass(frozen=True)
class Pair:
    """A context with a cause, and its twin without it, up to the same boundary."""

    row: dict[str, Any]
    """A row of `truth.tables.TRUTH`: the boundary."""
    with_cause: list[int]
    """Token ids of the trace before the sentence at the boundary, with the padding of
    `pocket.reading.Twin`."""
    without_cause: list[int]
    """Token ids of the twin."""
    planted_without: float
    """Planted probability of turning in the twin."""
    aligned: bool
    """Whether both have equally many tokens, which differ only at some places."""
    changed: int
    """Number of tokens of the twin at the changed places."""
    first_id: int
    """Token with which the sentence at the boundary begins."""
    logprob: float | None
    """Its log-prob when it was generated, nats; None in an imported thought, and in a
    context with padding."""


@dataclass(frozen=True)
class EditedTokens:
    """Token ids after edits of their text."""

    ids: list[int]
    places: frozenset[int]
    """Indices of the tokens that were put in."""


def draw_boundaries(truth: pl.DataFrame, pairs: int, seed: int) -> list[dict[str, Any]]:
    """Boundaries with exactly one cause before the first turn, one per trace.

    Args:
        truth: `truth.tables.TRUTH`.
        pairs: largest number per cause.
        seed: of the draw.

    Returns:
        Rows of `truth`, in its order.
    """
    can_be_used = (
        (pl.col("cause") != NONE)
        & (pl.col("causes") == 1)
        & (pl.col("turns") == 0)
        & pl.col("choice").is_not_null()
        & pl.col("token").is_not_null()
    )
    first = truth.filter(can_be_used).unique("trace", keep="first", maintain_order=True)
    rows: dict[Name, dict[str, Any]] = {
        (row["trace"], row["boundary"]): row for row in first.to_dicts()
    }
    taken: dict[str, set[Name]] = {}
    for name in ranked_by_digest(rows, seed):
        names = taken.setdefault(rows[name]["cause"], set())
        if len(names) < pairs:
            names.add(name)
    drawn = {name for names in taken.values() for name in names}
    return [row for name, row in rows.items() if name in drawn]


def pair_of(
    row: dict[str, Any],
    trace: dict[str, Any],
    problem: dict[str, Any],
    tokenizer: TraceTokenizer,
) -> Pair:
    """The pair of a boundary.

    Args:
        row: of `truth.tables.TRUTH`.
        trace: of `traces.tables.TRACES`.
        problem: of `problems.tables.PROBLEMS`.
        tokenizer: of the study's model.

    Raises:
        NoTwinError: there is no twin, or its tokens do not give its text.
    """
    question, span = problem["question"], thought_span(trace)
    thought = trace["text"][span.start : span.end]
    twin = twin_of(question, thought, row["boundary"], problem["gold"])
    prompt = trace["prompt_ids"]
    first = row["token"] - len(prompt)
    begun = trace["completion_ids"][:first]
    in_question = [edit for edit in twin.edits if edit.place == QUESTION]
    if in_question:
        in_question = shifted(in_question, question_start(prompt, question, tokenizer))
    in_thought = [edit for edit in twin.edits if edit.place == THOUGHT]
    padded = edited_tokens(begun, shifted(twin.padding, span.start), tokenizer)
    asked = edited_tokens(prompt, in_question, tokenizer)
    thought_so_far = edited_tokens(begun, shifted(in_thought, span.start), tokenizer)
    places = asked.places | {len(asked.ids) + k for k in thought_so_far.places}
    context = [*prompt, *padded.ids]
    other = asked.ids + thought_so_far.ids
    logprobs = None if twin.padding else trace["logprobs"]
    return Pair(
        row=row,
        with_cause=context,
        without_cause=other,
        planted_without=twin.boundary.probability,
        aligned=is_aligned(context, other, places),
        changed=len(places),
        first_id=trace["completion_ids"][first],
        logprob=None if logprobs is None else logprobs[first],
    )


def question_start(prompt: list[int], question: str, tokenizer: TraceTokenizer) -> int:
    """Where the question begins in the text of its prompt."""
    text, _ = tokenizer.decode(prompt)
    if text.count(question) != 1:
        raise NoTwinError("the prompt does not hold the question once")
    return text.index(question)


def shifted(edits: Sequence[Edit], by: int) -> list[Edit]:
    """The edits in a text that has `by` more characters before."""
    return [
        Edit(edit.start + by, edit.end + by, edit.text, edit.place) for edit in edits
    ]


def edited_tokens(
    ids: list[int], edits: Sequence[Edit], tokenizer: TraceTokenizer
) -> EditedTokens:
    """The tokens after edits of their text; only tokens that an edit touches change.

    Raises:
        NoTwinError: two edits touch one token, or the tokens do not give the text.
    """
    text, offsets = tokenizer.decode(ids)
    starts = [*offsets, len(text)]
    new: list[int] = []
    places: set[int] = set()
    done = 0
    for edit in sorted(edits):
        first = token_at(offsets, 0, edit.start)
        stop = max(bisect_left(starts, edit.end), first)
        if first < done:
            raise NoTwinError("two changes in one token")
        shift = starts[first]
        own = Edit(edit.start - shift, edit.end - shift, edit.text, edit.place)
        piece = tokenizer.encode_plain(edited(text[shift : starts[stop]], [own]))
        new += ids[done:first]
        places |= set(range(len(new), len(new) + len(piece)))
        new += piece
        done = stop
    new += ids[done:]
    try:
        is_right = tokenizer.decode(new)[0] == edited(text, edits)
    except InputError:
        is_right = False
    if not is_right:
        raise NoTwinError("the tokens do not give the text of the twin")
    return EditedTokens(new, frozenset(places))


def is_aligned(one: list[int], other: list[int], places: Set[int]) -> bool:
    """Whether both have equally many tokens, which differ only at some places."""
    if len(one) != len(other):
        return False
    return {k for k in range(len(one)) if one[k] != other[k]} <= places
