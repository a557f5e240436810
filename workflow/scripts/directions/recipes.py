"""Recipes: of which positions a direction is the difference of two means.

    ward        window of tokens before a backtrack sentence, against all thought tokens
                (Ward et al. 2025, arXiv 2507.12638: offsets -13 to -8)
    venhoff     tokens start - 1 to start + 10 of a backtrack sentence, against all
                (Venhoff et al. 2025, steering-thinking-llms)
    wrap_up     the same of a wrap-up sentence
    seal        the token before a paragraph that turns back, against other paragraphs
                (Chen et al. 2025, SEAL, arXiv 2504.07986)
    arrivals    end of the first sentence with the right answer, against the last
                (ARBOR #8)

Every recipe is a list of units (sentences or arrivals) with positions and a label. The
same recipe with labels permuted within problems is its control.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from directions.fit_sentences import Sentence, sentence_ends, thought_sentences
from directions.tables import ARRIVALS, SEAL, VENHOFF, WRAP_UP
from directions.windows import PUBLISHED_WINDOW, window_name
from doubletake.stats.draws import generator
from doubletake.text.trace_positions import thought_tokens
from turns.reading import BACKTRACK, KINDS

VENHOFF_BEFORE, VENHOFF_AFTER = 1, 10
_CLASSES = {
    VENHOFF: ("backtrack sentences", ""),
    WRAP_UP: ("wrap-up sentences", ""),
    SEAL: ("paragraphs that turn back", "other paragraphs"),
    ARRIVALS: ("first of several right arrivals", "last of several right arrivals"),
}


@dataclass(frozen=True)
class Unit:
    """A sentence or an arrival with its positions."""

    trace: str
    problem: str
    positions: tuple[int, ...]
    """Tokens of the trace, all of them inside the thought."""
    label: bool
    """Whether it belongs to the first class."""


@dataclass(frozen=True)
class Recipe:
    """The units of a direction: first class minus second class."""

    name: str
    units: tuple[Unit, ...]
    against_all: bool
    """Whether the second class is all thought tokens, not the other units."""

    @property
    def labels(self) -> np.ndarray:
        """[unit], bool."""
        return np.array([unit.label for unit in self.units], dtype=bool)

    def counts(self, label: bool = True) -> tuple[int, int, int]:
        """Units, problems and positions of a class."""
        units = [unit for unit in self.units if unit.label == label]
        positions = sum(len(unit.positions) for unit in units)
        return len(units), len({unit.problem for unit in units}), positions

    def why_not(self, least_problems: int) -> str | None:
        """Why there is no direction; None if there is one."""
        names = _CLASSES.get(
            self.name,
            (f"backtrack sentences with a token in the window of {self.name}", ""),
        )
        for name, label in zip(names, (True, False), strict=True):
            if not label and self.against_all:
                continue
            cases, problems, _ = self.counts(label)
            if problems < max(least_problems, 1):
                return (
                    f"{name}: {cases} of {problems} fit problem(s), fewer than "
                    f"{max(least_problems, 1)}"
                )
        return None


def recipes_of(
    traces: Sequence[dict[str, Any]],
    events: dict[str, list[dict[str, Any]]],
    windows: Sequence[tuple[int, int]],
) -> list[Recipe]:
    """All recipes that are differences of means.

    Args:
        traces: rows of `TRACES`, the thoughts to fit.
        events: rows of `EVENTS` by trace.
        windows: Ward's windows beside the published one.
    """
    wanted = {window_name(window): window for window in (PUBLISHED_WINDOW, *windows)}
    units: dict[str, list[Unit]] = {
        name: [] for name in (*wanted, VENHOFF, WRAP_UP, SEAL, ARRIVALS)
    }
    for trace in traces:
        rows = events.get(trace["trace"], [])
        begin, end = thought_tokens(trace)
        found = thought_sentences(trace, rows)

        def add(
            name: str,
            first: int,
            last: int,
            label: bool,
            trace: dict[str, Any] = trace,
            begin: int = begin,
            end: int = end,
        ) -> None:
            inside = tuple(range(max(first, begin), min(last + 1, end)))
            if inside:
                unit = Unit(trace["trace"], trace["problem"], inside, label)
                units[name].append(unit)

        for sentence in found:
            turns_back = sentence.kind == BACKTRACK
            if sentence.kind in KINDS:
                for name, (a, b) in wanted.items():
                    add(name, sentence.first + a, sentence.first + b, turns_back)
                spoken = _spoken(sentence)
                add(VENHOFF, *spoken, turns_back)
                add(WRAP_UP, *spoken, sentence.kind == WRAP_UP)
            if sentence.is_paragraph:
                add(SEAL, sentence.first - 1, sentence.first - 1, turns_back)
        right = [r for r in rows if r["kind"] == "arrival" and r["is_gold"]]
        ends = sentence_ends(found, right)
        if len(ends) > 1:
            add(ARRIVALS, ends[0], ends[0], True)
            add(ARRIVALS, ends[-1], ends[-1], False)
    two_classes = (SEAL, ARRIVALS)
    return [
        Recipe(name, tuple(items), name not in two_classes)
        for name, items in units.items()
    ]


def _spoken(sentence: Sentence) -> tuple[int, int]:
    """First and last token of Venhoff's window: start - 1 to start + 10, or the end."""
    last = min(sentence.last, sentence.first + VENHOFF_AFTER)
    return sentence.first - VENHOFF_BEFORE, last


def shuffled_labels(recipe: Recipe, count: int, seed: int) -> np.ndarray:
    """Labels permuted among the units of each problem: [draw, unit], bool.

    Args:
        recipe: the units.
        count: number of draws.
        seed: of the draws; another problem's units do not change those of a problem.
    """
    by_problem: dict[str, list[int]] = {}
    for number, unit in enumerate(recipe.units):
        by_problem.setdefault(unit.problem, []).append(number)
    labels = np.zeros((count, len(recipe.units)), dtype=bool)
    for draw in range(count):
        for problem, numbers in by_problem.items():
            own = [recipe.units[number].label for number in numbers]
            generator(seed, recipe.name, draw, problem).shuffle(own)
            labels[draw, numbers] = own
    return labels
