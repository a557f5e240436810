"""The contexts: a token of a thought, and the tokens that follow it in the thought."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import token_at
from injection.tables import ARRIVAL, PROMPT_END


@dataclass(frozen=True)
class Context:
    """A token at which a vector is added, and the unsteered tokens after it."""

    trace: str
    problem: str
    place: str
    """Of `injection.tables.PLACES`."""
    token: int
    """Index of the token in the trace; it is not the first token."""
    ids: tuple[int, ...]
    """Token ids of the trace, up to the last token that is read."""

    @property
    def name(self) -> str:
        """For messages and draws."""
        return f"trace {self.trace}, token {self.token} ({self.place})"

    @property
    def distance(self) -> int:
        """Number of tokens after the token."""
        return len(self.ids) - 1 - self.token


def drawn_contexts(
    traces: pl.DataFrame,
    events: pl.DataFrame,
    problems: set[str],
    count: int,
    distance: int,
    seed: int,
) -> list[Context]:
    """The contexts: of each drawn problem one arrival, and the end of its prompt.

    There is one thought of a problem, so that problems weigh the same. Thoughts without
    an arrival that enough tokens follow are left out.

    Args:
        traces: `TRACES`.
        events: `EVENTS`.
        problems: the problems that may be used.
        count: largest number of problems.
        distance: tokens that must follow.
        seed: of the draws.
    """
    arrivals = events.filter(kind="arrival").select("trace", "end")
    ends = dict(arrivals.group_by("trace", maintain_order=True).agg("end").iter_rows())
    usable = traces.filter(
        pl.col("problem").is_in(problems) & pl.col("trace").is_in(list(ends))
    )
    names = usable.select("problem", "trace").iter_rows()
    by_name = {row["trace"]: row for row in usable.to_dicts()}
    found: dict[str, list[Context]] = {}
    for problem, trace in ranked_by_digest(names, seed):
        if len(found) == count:
            break
        if problem in found:
            continue
        row = by_name[str(trace)]
        tokens = list(_arrival_tokens(row, ends[trace], distance))
        if tokens:
            token = ranked_by_digest(((trace, t) for t in tokens), seed)[0][1]
            end = len(row["prompt_ids"]) - 1
            places = ((ARRIVAL, int(token)), (PROMPT_END, end))
            found[str(problem)] = [
                _context(row, place, at, distance) for place, at in places if at > 0
            ]
    return [context for contexts in found.values() for context in contexts]


def _arrival_tokens(
    trace: dict[str, Any], ends: Sequence[int], distance: int
) -> Iterator[int]:
    """The tokens before the sentences that follow arrivals.

    Enough tokens of the thought must follow.

    Such a token is the last one that the model reads before it chooses the first token
    of the next sentence.
    """
    prompt, offsets = len(trace["prompt_ids"]), trace["offsets"]
    starts = [span.start for span in sentences(trace["text"])]
    last = prompt + bisect_left(offsets, trace["thought_stop"]) - 1
    seen = set()
    for end in ends:
        later = [s for s in starts if end <= s < trace["thought_stop"]]
        if not later:
            continue
        token = token_at(offsets, prompt, later[0]) - 1
        if token not in seen and token >= prompt and token + distance <= last:
            seen.add(token)
            yield token


def _context(trace: dict[str, Any], place: str, token: int, distance: int) -> Context:
    ids = [*trace["prompt_ids"], *trace["completion_ids"]][: token + distance + 1]
    return Context(trace["trace"], trace["problem"], place, token, tuple(ids))
