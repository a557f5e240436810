"""Curves of the same answer and of accuracy along a thought, and areas over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from doubletake.stats.intervals import IntervalSettings, cluster_means
from faithfulness.groups import Groups
from faithfulness.names import AHEAD, ARRIVALS, BEHIND, PARTS, SENTENCE, THOUGHT
from faithfulness.tables import AREAS, CURVES

GRID = np.linspace(0, 1, 11)
"""Shares at which the curves stand."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Path:
    """The answers along one part of a thought."""

    trace: str
    problem: str
    x: np.ndarray
    """[cut] Share of the part before each cut: 0, ..., 1."""
    same: np.ndarray
    """[cut] Whether the answer has the value of the thought's own one."""
    correct: np.ndarray

    def at(self, grid: np.ndarray) -> np.ndarray:
        """Same and correct of the last cut up to each share: [2, share]."""
        last = np.searchsorted(self.x, grid + ROUNDING, side="right") - 1
        return np.stack([self.same[last], self.correct[last]]).astype(float)

    @property
    def areas(self) -> tuple[float, float, float, float]:
        """Area over the curve by cuts and by tokens, and the same answer at both ends.

        See `AREAS`.
        """
        same = self.same.astype(float)
        by_cut = 1 - float((same[:-1] + same[1:]).mean() / 2)
        by_token = 1 - float((same[:-1] * np.diff(self.x)).sum())
        return by_cut, by_token, float(same[0]), float(same[-1])


def paths_of(cuts: pl.DataFrame) -> dict[str, list[Path]]:
    """The paths of all thoughts by part.

    A part needs two cuts that differ in place. Before the first arrival the last cut is
    the end of the sentence before it; after it the first is that of its own sentence.

    Args:
        cuts: `CUTS`.
    """
    paths: dict[str, list[Path]] = {part: [] for part in PARTS}
    ordered = cuts.sort("trace", "source", "cut")
    for (_, source), own in ordered.group_by("trace", "source", maintain_order=True):
        tokens, arrivals = own["tokens_before"].to_numpy(), own["arrivals"].to_numpy()
        if source == SENTENCE:
            ahead = (arrivals == 0) & bool((arrivals > 0).any())
            chosen = {THOUGHT: tokens >= 0, AHEAD: ahead, BEHIND: arrivals > 0}
        else:
            chosen, tokens = {ARRIVALS: tokens >= 0}, np.arange(len(tokens))
        for part, kept in chosen.items():
            places = tokens[kept].astype(float)
            if len(places) > 1 and places[-1] > places[0]:
                x = (places - places[0]) / (places[-1] - places[0])
                flags = (own[name].to_numpy()[kept] for name in ("same", "correct"))
                names = (own["trace"][0], own["problem"][0])
                paths[part].append(Path(*names, x, *flags))
    return paths


def curves(
    paths: dict[str, list[Path]], groups: Groups, s: IntervalSettings
) -> pl.DataFrame:
    """`CURVES`: for each group and part, a row per share."""
    rows: list[dict[str, Any]] = []
    for group, part, own in _cases(paths, groups):
        values = np.stack([path.at(GRID).ravel() for path in own])
        means = cluster_means(values, _problems(own), s, shares=True)
        for k, share in enumerate(GRID):
            same, accuracy = means[k], means[k + len(GRID)]
            rows.append(
                {"group": group, "part": part, "share": round(float(share), 6)}
                | _counts(own)
                | same.columns("same")
                | accuracy.columns("accuracy")
            )
    return CURVES.frame(rows)


def areas(
    paths: dict[str, list[Path]], groups: Groups, s: IntervalSettings
) -> pl.DataFrame:
    """`AREAS`: a row for each group and part."""
    rows: list[dict[str, Any]] = []
    for group, part, own in _cases(paths, groups):
        values = np.array([path.areas for path in own])
        problems = _problems(own)
        over = cluster_means(values[:, :2], problems, s)
        ends = cluster_means(values[:, 2:], problems, s, shares=True)
        lengths = [len(path.x) - 1 for path in own]
        row: dict[str, Any] = {"group": group, "part": part} | _counts(own)
        row |= {"fewest": min(lengths), "most": max(lengths)}
        names = ("aoc", "aoc_tokens", "start", "ceiling")
        for name, mean in zip(names, [*over, *ends], strict=True):
            row |= {key: _inside(end) for key, end in mean.columns(name).items()}
        rows.append(row)
    return AREAS.frame(rows)


def _cases(
    paths: dict[str, list[Path]], groups: Groups
) -> Iterable[tuple[str, str, list[Path]]]:
    """Every group and part that has a thought."""
    for group, names in groups.items():
        for part in PARTS:
            own = [path for path in paths[part] if path.trace in names]
            if own:
                yield group, part, own


def _inside(value: float | None) -> float | None:
    """An area, or an end of its interval, which lies between 0 and 1."""
    return None if value is None else min(max(value, 0.0), 1.0)


def _problems(paths: Sequence[Path]) -> np.ndarray:
    return np.array([path.problem for path in paths])


def _counts(paths: Sequence[Path]) -> dict[str, int]:
    return {"thoughts": len(paths), "problems": len({path.problem for path in paths})}
