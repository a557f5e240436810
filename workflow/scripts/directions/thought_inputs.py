"""The thoughts to read: their tokens, the classes' positions, the sampled ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from directions.class_sums import ALL, ClassKey, ThoughtInput
from directions.recipes import Recipe, shuffled_labels
from doubletake.running.errors import InputError
from doubletake.stats.draws import generator
from doubletake.text.trace_positions import thought_tokens


@dataclass(frozen=True)
class ClassPlan:
    """All classes, and how many positions each holds."""

    keys: list[ClassKey]
    positions: dict[str, list[tuple[int, int]]]
    """By trace: number of the class and position, repeated as often as it counts."""

    @classmethod
    def of(cls, recipes: Sequence[Recipe], shuffles: int, seed: int) -> "ClassPlan":
        """The classes of all recipes with true and with shuffled labels.

        Args:
            recipes: those with a direction.
            shuffles: draws of shuffled labels.
            seed: of the draws.
        """
        keys: list[ClassKey] = [ALL]
        positions: dict[str, list[tuple[int, int]]] = {}
        for recipe in recipes:
            draws = [recipe.labels, *shuffled_labels(recipe, shuffles, seed)]
            for draw, labels in enumerate(draws):
                for side in (True,) if recipe.against_all else (True, False):
                    number = len(keys)
                    keys.append((recipe.name, draw, side))
                    for unit, label in zip(recipe.units, labels, strict=True):
                        if label == side:
                            positions.setdefault(unit.trace, []).extend(
                                (number, position) for position in unit.positions
                            )
        return cls(keys, positions)

    def counts(self, tokens: int) -> list[int]:
        """Positions of each class; `tokens`: of all thoughts."""
        counts = [0] * len(self.keys)
        for rows in self.positions.values():
            for number, _ in rows:
                counts[number] += 1
        return [tokens, *counts[1:]]

    def members(self, trace: str, start: int) -> torch.Tensor:
        """[n, 2]: numbers of classes and tokens of a thought that begins at `start`."""
        rows = np.array(self.positions.get(trace, []), dtype=int).reshape(-1, 2)
        return torch.from_numpy(rows - [0, start])


def thought_inputs(
    traces: Sequence[dict[str, Any]],
    plan: ClassPlan,
    sample: int,
    seed: int,
    vocabulary: int,
) -> list[ThoughtInput]:
    """One input per thought with at least one token.

    Args:
        traces: rows of `TRACES`.
        plan: the classes.
        sample: positions for the principal components, over all thoughts.
        seed: of their draw.
        vocabulary: number of the model's tokens.

    Raises:
        InputError: a trace has an empty prompt, or a token that the model lacks.
    """
    spans = {row["trace"]: thought_tokens(row) for row in traces}
    places = [(name, p) for name, span in spans.items() for p in range(*span)]
    drawn = generator(seed, "components").sample(places, min(sample, len(places)))
    sampled: dict[str, list[int]] = {}
    for name, position in sorted(drawn):
        sampled.setdefault(name, []).append(position)
    inputs = []
    for row in traces:
        name, (start, stop) = row["trace"], spans[row["trace"]]
        ids = (row["prompt_ids"] + row["completion_ids"])[:stop]
        if not row["prompt_ids"]:
            raise InputError(f"traces: trace {name} has an empty prompt")
        if max(ids) >= vocabulary:
            raise InputError(
                f"trace {name}: token {max(ids)} is not in the model's vocabulary of "
                f"{vocabulary}"
            )
        if start < stop:
            members, kept = plan.members(name, start), sampled.get(name, [])
            inputs.append(ThoughtInput(name, ids, start, members, kept))
    return inputs
