"""Where thoughts are continued: after an arrival, on problems to test."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.sentences import cut_after
from steering.settings import DecodingSettings


@dataclass(frozen=True)
class Context:
    """A thought of the study, cut after an arrival."""

    number: int
    """Of the context, the same in all shards."""
    thought: DrawnThought
    kept: int
    """Tokens of the completion before the cut."""
    character: int
    """The cut in the text of the completion."""

    @property
    def ids(self) -> list[int]:
        """The tokens of the completion before the cut."""
        return self.thought.trace["completion_ids"][: self.kept]

    @property
    def prefix(self) -> list[int]:
        """The tokens of prompt and completion before the cut."""
        return [*self.thought.trace["prompt_ids"], *self.ids]


@dataclass(frozen=True)
class Drawn:
    """What is decoded; no problem of the screening is in the other two."""

    screening: list[Context]
    ladder: list[Context]
    thoughts: list[DrawnThought]


def draw(
    traces: pl.DataFrame,
    problems: pl.DataFrame,
    events: pl.DataFrame,
    tested: Collection[str],
    settings: DecodingSettings,
) -> Drawn:
    """Contexts and whole thoughts on problems to test, at most one for each problem.

    The screening takes at most half of the problems.

    Args:
        traces: `TRACES`.
        problems: `PROBLEMS`.
        events: `EVENTS`.
        tested: the problems to test.
        settings: counts and seed.
    """
    seed = settings.seed
    thoughts = _one_by_problem(traces, problems, tested, seed)
    contexts = [
        context
        for one in thoughts
        if (context := _context(one, events, seed)) is not None
    ]
    screened = min(settings.contexts, (len(contexts) + 1) // 2)
    screening, left = contexts[:screened], contexts[screened:]
    used = {one.thought.name for one in screening}
    others = [one for one in thoughts if one.name not in used]
    if not settings.thoughts:
        return Drawn(_numbered(screening), [], [])
    ladder = _numbered(left[: settings.ladder_contexts])
    return Drawn(_numbered(screening), ladder, others[: settings.thoughts])


def _one_by_problem(
    traces: pl.DataFrame, problems: pl.DataFrame, tested: Collection[str], seed: int
) -> list[DrawnThought]:
    """A thought of each problem to test, in an order that the seed decides."""
    known = {
        name: (gold, question)
        for name, gold, question in problems.select(
            "problem", "gold", "question"
        ).iter_rows()
    }
    rows: dict[str, dict[str, Any]] = {
        row["trace"]: row
        for row in traces.filter(pl.col("problem").is_in(sorted(tested))).to_dicts()
    }
    taken: dict[str, DrawnThought] = {}
    for (key,) in ranked_by_digest(((name,) for name in rows), f"steering/{seed}"):
        name = str(key)
        problem = rows[name]["problem"]
        taken.setdefault(problem, DrawnThought(rows[name], *known[problem]))
    return list(taken.values())


def _context(one: DrawnThought, events: pl.DataFrame, seed: int) -> Context | None:
    """The thought, cut after one of its arrivals; None without one to go on from."""
    row = one.trace
    thought = row["text"][: row["thought_stop"]]
    arrivals = events.filter(trace=one.name, kind="arrival")
    places = {
        str(ordinal): cut_after(thought, end)
        for ordinal, end in arrivals.select("ordinal", "end").iter_rows()
        if end <= len(thought)
    }
    for _, name in ranked_by_digest(((one.name, name) for name in places), seed):
        kept = _after_space(row, bisect_left(row["offsets"], places[str(name)]))
        if 0 < kept < len(row["offsets"]):
            return Context(0, one, kept, places[str(name)])
    return None


def _after_space(row: dict[str, Any], kept: int) -> int:
    """Number of tokens of the completion, with the white space that follows them."""
    offsets, text = row["offsets"], row["text"]
    while kept + 1 < len(offsets) and text[offsets[kept] : offsets[kept + 1]].isspace():
        kept += 1
    return kept


def _numbered(contexts: list[Context]) -> list[Context]:
    return [
        Context(number, one.thought, one.kept, one.character)
        for number, one in enumerate(contexts)
    ]
