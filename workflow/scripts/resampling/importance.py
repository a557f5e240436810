"""The importance of sentences by the definitions of Thought Anchors.

Bogdan et al. 2025, "Thought Anchors: Which LLM reasoning steps matter?". Of sentence i,
with the rollouts from before it and those from after it (before sentence i + 1):

- resampling: accuracy after minus accuracy before;
- counterfactual: accuracy of those rollouts from before whose first sentence is unlike
  sentence i, minus accuracy after (as published, the sign is the opposite one);
- forced: whether the answer that is forced after the sentence is right, minus before;
- divergence: Kullback-Leibler divergence of the answers before from those after.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import polars as pl

from doubletake.stats.draws import generator
from doubletake.stats.intervals import wilson_interval
from resampling.similarity import Similarity
from resampling.thought_sentences import Sentence

# ASSUME: Laplace's one more count of every answer that occurs on either side.
SMOOTHING = 1.0
PARTINGS = 20
"""Random partings behind the mean divergence without an effect."""
Answers = Sequence[str | None]


def divergence(before: Answers, after: Answers) -> float:
    """Kullback-Leibler divergence of the answers before from those after, nats.

    The answers that occur on either side are the categories; no answer is one of them.
    """
    first, second = Counter(before), Counter(after)
    kinds = sorted(set(first) | set(second), key=lambda one: (one is None, one or ""))
    extra = SMOOTHING * len(kinds)
    total = 0.0
    for kind in kinds:
        p = (first[kind] + SMOOTHING) / (len(before) + extra)
        q = (second[kind] + SMOOTHING) / (len(after) + extra)
        total += p * log(p / q)
    return total


def null_divergence(before: Answers, after: Answers, name: str, seed: int) -> float:
    """Mean divergence if the same answers are parted at random.

    Args:
        before: answers of the rollouts from before.
        after: answers of those from after.
        name: of the sentence.
        seed: of the partings.
    """
    pooled = [*before, *after]
    draw = generator(f"divergence/{seed}", name)
    total = 0.0
    for _ in range(PARTINGS):
        draw.shuffle(pooled)
        total += divergence(pooled[: len(before)], pooled[len(before) :])
    return total / PARTINGS


def difference_ends(
    after: tuple[int, int], before: tuple[int, int], confidence: float
) -> tuple[float, float]:
    """Interval of a difference of two shares (Newcombe 1998, method 10).

    Args:
        after: hits and trials of the first.
        before: hits and trials of the second.
        confidence: coverage.
    """
    p, q = after[0] / after[1], before[0] / before[1]
    p_low, p_high = wilson_interval(*after, confidence)
    q_low, q_high = wilson_interval(*before, confidence)
    low = ((p - p_low) ** 2 + (q_high - q) ** 2) ** 0.5
    high = ((p_high - p) ** 2 + (q - q_low) ** 2) ** 0.5
    return p - q - low, p - q + high


@dataclass(frozen=True)
class ThoughtRollouts:
    """The rollouts of one thought, by the number of sentences before them."""

    rows: pl.DataFrame
    """Its rows of `RESAMPLING_ROLLOUTS`."""

    @cached_property
    def points(self) -> dict[int, list[dict[str, Any]]]:
        """Rollouts by point, by draw."""
        found: dict[int, list[dict[str, Any]]] = {}
        for row in self.rows.sort("before", "draw").to_dicts():
            found.setdefault(row["before"], []).append(row)
        return found


def sentence_row(
    trace: dict[str, Any],
    sentence: Sentence,
    rollouts: ThoughtRollouts,
    similarity: Similarity,
    forced: Mapping[int, bool],
    settings: "ImportanceSettings",
) -> dict[str, Any] | None:
    """A row of `RESAMPLING_SENTENCES`; None without rollouts on both sides.

    Args:
        trace: a row of `TRACES`.
        sentence: of it.
        rollouts: of it.
        similarity: of sentences.
        forced: by the number of sentences before: whether the answer that is forced
            there is right.
        settings: gate, seed and coverage.
    """
    before, after = (rollouts.points.get(sentence.number + step, []) for step in (0, 1))
    if not before or not after:
        return None
    text = trace["text"][sentence.start : sentence.end]
    unlike = [
        row
        for row in before
        if similarity.cosine(row["text"], text) < settings.similarity
    ]
    hits, later = (sum(row["correct"] for row in rows) for rows in (before, after))
    n, m = len(before), len(after)
    low, high = difference_ends((later, m), (hits, n), settings.confidence)
    answers = [[row["answer"] for row in rows] for rows in (before, after)]
    other = None
    if unlike:
        other = sum(row["correct"] for row in unlike) / len(unlike) - later / m
    ends = [forced.get(sentence.number + step) for step in (0, 1)]
    name = f"{trace['trace']}/{sentence.number}"
    return {
        "trace": trace["trace"],
        "problem": trace["problem"],
        "sentence": sentence.number,
        "start": sentence.start,
        "end": sentence.end,
        "kind": sentence.kind,
        "cause": sentence.cause,
        "before": n,
        "after": m,
        "accuracy_before": hits / n,
        "accuracy_after": later / m,
        "resampled": later / m - hits / n,
        "resampled_low": low,
        "resampled_high": high,
        "dissimilar": len(unlike),
        "counterfactual": other,
        "forced": None if None in ends else float(bool(ends[1]) - bool(ends[0])),
        "divergence": divergence(answers[0], answers[1]),
        "divergence_null": null_divergence(answers[0], answers[1], name, settings.seed),
    }


@dataclass(frozen=True)
class ImportanceSettings:
    """What the importance of sentences depends on."""

    similarity: float
    """Cosine below which a sentence is unlike another."""
    seed: int
    confidence: float
    """Coverage of intervals."""
