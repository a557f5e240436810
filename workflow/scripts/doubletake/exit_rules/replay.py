"""Replay: where a policy would have stopped finished thoughts, and what it spent.

The scores of a rule are computed once at all its looks. Any number of thresholds then
costs array operations only. A rule that decodes (`Watch.stops_at`) gives the same stop:
both use the rule's `score` and `compare`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import polars as pl

from doubletake.exit_rules.hindsight import Hindsight
from doubletake.exit_rules.rule import ENTROPY, PROBE, TRIAL, Rule, Watch
from doubletake.exit_rules.thoughts import Thought

AT_END = -1
"""In place of the number of a point: the thought went on to its end."""
BILLED = ("trials", "trial_tokens", "entropies", "probes")
"""Trial answers, their tokens, looks at the entropy after the marker, probe scores."""


@dataclass(frozen=True)
class Stops:
    """Where one policy stops each thought, and what it spent until then."""

    name: str
    thoughts: Sequence[Thought]
    point: np.ndarray
    """[thought], number of the trial point; `AT_END`."""
    bill: np.ndarray
    """[thought, 4], the counts of `BILLED` up to the stop."""
    looks: np.ndarray
    """[thought], looks that the rule could have made on the whole thought."""
    able: np.ndarray
    """[thought], whether the thought has enough looks for the rule to stop; of a rule
    that counts events, whether it has enough of them."""

    @property
    def kept(self) -> np.ndarray:
        """[thought], thought tokens up to the stop."""
        return np.array(
            [
                thought.tokens if k == AT_END else thought.points[k].token
                for thought, k in zip(self.thoughts, self.point, strict=True)
            ],
            dtype=np.int64,
        )

    @property
    def read_ahead(self) -> np.ndarray:
        """[thought], tokens after the stop that were read to find it, then dropped."""
        reads = [
            0 if k == AT_END else (thought.points[k].read or 0)
            for thought, k in zip(self.thoughts, self.point, strict=True)
        ]
        return np.maximum(np.array(reads, dtype=np.int64) - self.kept, 0)

    @property
    def full(self) -> np.ndarray:
        """[thought], tokens of the whole thought."""
        return np.array([thought.tokens for thought in self.thoughts], dtype=np.int64)

    @property
    def problems(self) -> np.ndarray:
        """[thought], its problem."""
        return np.array([thought.problem for thought in self.thoughts], dtype=object)

    @property
    def trial_tokens(self) -> np.ndarray:
        """[thought], tokens of all trial answers up to the stop."""
        return self.bill[:, BILLED.index("trial_tokens")]

    @property
    def right(self) -> np.ndarray:
        """[thought], whether the answer at the stop is right."""
        pairs = zip(self.thoughts, self.point, strict=True)
        return np.array([thought.right[k + 1] for thought, k in pairs], dtype=bool)

    @property
    def right_at_end(self) -> np.ndarray:
        """[thought], whether the answer after the whole thought is right."""
        return np.array([thought.right[0] for thought in self.thoughts], dtype=bool)

    def answers(self) -> list[str | None]:
        """[thought], the answer at the stop."""
        return [
            thought.end_answer if k == AT_END else thought.points[k].answer
            for thought, k in zip(self.thoughts, self.point, strict=True)
        ]

    def frame(self) -> pl.DataFrame:
        """One row per thought: policy, trace, problem, where it stops, what it spent.

        Columns: policy, trace, problem, point (null at the end), kept, read_ahead,
        full, looks, able, the columns of `BILLED`, answer.
        """
        point = pl.Series(self.point)
        return pl.DataFrame(
            {
                "policy": [self.name] * len(self.thoughts),
                "trace": [thought.trace for thought in self.thoughts],
                "problem": [thought.problem for thought in self.thoughts],
                "point": point.set(point == AT_END, None),
                "kept": self.kept,
                "read_ahead": self.read_ahead,
                "full": self.full,
                "looks": self.looks,
                "able": self.able,
                **dict(zip(BILLED, self.bill.T, strict=True)),
                "answer": pl.Series(self.answers(), dtype=pl.String),
            }
        )


@dataclass(frozen=True)
class Looks:
    """All looks of one rule at many thoughts, as if it never stopped."""

    rule: Rule
    thoughts: Sequence[Thought]
    point: np.ndarray
    """[thought, look], number of the trial point; `AT_END` beyond the last look."""
    score: np.ndarray
    """[thought, look], the rule's score; NaN beyond the last look."""
    bill: np.ndarray
    """[thought, 1 + look, 4], counts of `BILLED` after so many looks; 0 beyond."""

    @classmethod
    def of(cls, rule: Rule, thoughts: Sequence[Thought]) -> "Looks":
        """Show a rule all points of each thought."""
        rows = [_looks(rule, thought) for thought in thoughts]
        width = max((len(points) for points, _, _ in rows), default=0)
        point = np.full((len(rows), width), AT_END, dtype=np.int64)
        score = np.full((len(rows), width), np.nan)
        bill = np.zeros((len(rows), width + 1, len(BILLED)), dtype=np.int64)
        for k, (points, scores, bills) in enumerate(rows):
            point[k, : len(points)] = points
            score[k, : len(points)] = scores
            bill[k, : len(bills)] = bills
        return cls(rule, thoughts, point, score, bill)

    def stops(self, threshold: float) -> Stops:
        """Where the rule stops with a threshold."""
        passed = type(self.rule).compare(self.score, threshold)
        stopped = passed.any(1)
        first = passed.argmax(1) if passed.shape[1] else np.zeros(len(passed), int)
        rows = np.arange(len(passed))
        count = (self.point != AT_END).sum(1)
        looks_made = np.where(stopped, first + 1, count)
        point = np.full(len(passed), AT_END)
        point[stopped] = self.point[rows[stopped], first[stopped]]
        least = self.rule.with_threshold(threshold).least_points
        able = stopped if self.rule.counts_events else count >= least
        return Stops(
            self.rule.name,
            self.thoughts,
            point,
            self.bill[rows, looks_made],
            count,
            able,
        )


def replay(policy: Rule | Hindsight, thoughts: Sequence[Thought]) -> Stops:
    """Where a policy stops each thought. A policy in hindsight is not billed."""
    if isinstance(policy, Rule):
        return Looks.of(policy, thoughts).stops(policy.threshold)
    stops = [policy.stop(thought) for thought in thoughts]
    return Stops(
        policy.name,
        thoughts,
        np.array([AT_END if k is None else k for k in stops], dtype=np.int64),
        np.zeros((len(thoughts), len(BILLED)), dtype=np.int64),
        np.array([len(thought.points) for thought in thoughts], dtype=np.int64),
        np.array([bool(thought.points) for thought in thoughts], dtype=bool),
    )


_Bill = tuple[int, int, int, int]


def _looks(rule: Rule, thought: Thought) -> tuple[list[int], list[float], list[_Bill]]:
    """Points at which a rule looks, its scores there, and the bill after each look."""
    watch = Watch(rule)
    points: list[int] = []
    scores: list[float] = []
    spent: list[_Bill] = []
    for number, point in enumerate(thought.points):
        if watch.add(point):
            points.append(number)
            scores.append(rule.score(watch.history))
            needs = rule.needs_at(watch.history)
            tokens = len(point.trial_logprobs) if TRIAL in needs else 0
            spent.append((TRIAL in needs, tokens, ENTROPY in needs, PROBE in needs))
    bills = accumulate(spent, _sum_of_bills, initial=(0, 0, 0, 0))
    return points, scores, list(bills)


def _sum_of_bills(one: _Bill, other: _Bill) -> _Bill:
    a, b, c, d = one
    return a + other[0], b + other[1], c + other[2], d + other[3]
