"""Rollouts: whole thoughts that go on from the start of a sentence.

The importance of a sentence needs rollouts from before and from after it (Bogdan et al.
2025, Thought Anchors). Those from after it are those from before the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import polars as pl

from doubletake.model.continued_thoughts import Continued, Stem
from doubletake.stats.draws import ranked_by_digest
from doubletake.text.drawn_thoughts import DrawnThought
from resampling.names import BACKTRACK
from resampling.next_sentence import TurnReader
from resampling.thought_sentences import Sentence, kept_after, kept_before


@dataclass(frozen=True, eq=False)
class Point:
    """The start of a sentence, or the end of the last one."""

    thought: DrawnThought
    before: int
    """Number of sentences of the study's thought that are kept."""
    kept: int
    """Tokens of the completion that are kept."""

    @property
    def stem_name(self) -> str:
        """Tells the points of a thought apart."""
        return f"rollout/{self.before}"

    @property
    def cut(self) -> int:
        """Character of the trace's text after the kept tokens."""
        offsets = self.thought.trace["offsets"]
        text = self.thought.trace["text"]
        return int(offsets[self.kept]) if self.kept < len(offsets) else len(text)

    def stem(self, draws: int) -> Stem:
        """What the rollouts go on from."""
        ids = self.thought.trace["completion_ids"][: self.kept]
        name = self.stem_name
        return Stem(self.thought, name, tuple(ids), draws, f"resampling/{name}")


def drawn_names(
    traces: pl.DataFrame,
    events: pl.DataFrame,
    truth: pl.DataFrame | None,
    count: int,
    seed: int,
) -> list[str]:
    """Finished thoughts with a backtrack: half of them end wrong, as far as there are.

    No two are on one problem. Those that hold a planted cause come first.

    Args:
        traces: `TRACES`.
        events: `EVENTS`.
        truth: `TRUTH`; None without a planted language.
        count: how many.
        seed: of the draw.
    """
    turning = events.filter(kind=BACKTRACK)["trace"].unique()
    whole = traces.filter(
        pl.col("thought_end").is_not_null(), pl.col("trace").is_in(turning.to_list())
    )
    names = [(name,) for name in whole["trace"]]
    order = [str(name) for (name,) in ranked_by_digest(names, f"rollouts/{seed}")]
    if truth is not None:
        holding = set(truth.filter(cause_in="thought")["trace"])
        order.sort(key=lambda name: name not in holding)
    rows = dict(
        zip(whole["trace"], whole.select("problem", "correct").iter_rows(), strict=True)
    )
    used: set[str] = set()
    found: list[str] = []
    for correct, most in ((False, count // 2), (True, count)):
        for name in order:
            problem, is_correct = rows[name]
            if is_correct == correct and problem not in used and len(found) < most:
                used.add(problem)
                found.append(name)
    return sorted(found)


def drawn_sentences(
    known: Sequence[Sentence], name: str, count: int | None, seed: int
) -> list[Sentence]:
    """Sentences of one thought, one of each kind before a second of any, in order.

    Those that hold a planted cause are a kind of their own.

    Args:
        known: all sentences of the thought.
        name: of the thought.
        count: how many; None: all.
        seed: of the draw.
    """
    by_kind: dict[str, list[Sentence]] = {}
    by_number = {one.number: one for one in known}
    names = [(name, one.number) for one in known]
    for _, number in ranked_by_digest(names, f"sentences/{seed}"):
        one = by_number[int(number)]
        by_kind.setdefault("cause" if one.cause else one.kind, []).append(one)
    rounds = zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    order = [one for one in chain.from_iterable(rounds) if one is not None]
    return sorted(order[:count], key=lambda one: one.number)


def points_of(
    thought: DrawnThought, known: Sequence[Sentence], chosen: Sequence[Sentence]
) -> list[Point]:
    """The points before and after some sentences of a thought, in order.

    A point inside of a token is left out.

    Args:
        thought: of the study.
        known: all its sentences.
        chosen: the sentences.
    """
    numbers = sorted({one.number + step for one in chosen for step in (0, 1)})
    found = []
    for number in numbers:
        trace = thought.trace
        if number < len(known):
            kept = kept_before(trace, known[number].start)
        else:
            kept = kept_after(trace, known[-1].end)
        if kept is not None:
            found.append(Point(thought, number, kept))
    return found


def rollout_row(point: Point, done: Continued, reader: TurnReader) -> dict[str, Any]:
    """A row of `RESAMPLING_ROLLOUTS`."""
    return {
        "trace": point.thought.name,
        "problem": point.thought.trace["problem"],
        "before": point.before,
        "draw": done.draw,
        "text": reader.following(done.row).text,
        "tokens": len(done.ids),
        "closed": done.closed,
        "answer": done.row["answer"],
        "correct": done.row["correct"],
    }
