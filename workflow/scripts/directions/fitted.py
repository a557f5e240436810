"""Turns sums and probes into directions, and into the rows of their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import torch

from directions.class_sums import ALL, ClassKey, Sums
from directions.matched_probe import MatchedProbe
from directions.reading import Directions
from directions.recipes import Recipe
from directions.tables import DIRECTIONS, PROBE

TINY = 1e-30


@dataclass(frozen=True)
class Means:
    """What the forward passes say about the states of the fit thoughts."""

    residual_norms: torch.Tensor
    """[boundary], float64, mean norm."""
    differences: dict[str, torch.Tensor]
    """[1 + draw, boundary, d_model], float64, first minus second class."""
    mean: torch.Tensor
    """[boundary, d_model], float64, over all thought tokens."""
    tokens: int


def class_means(sums: Sums, counts: list[int], keys: Sequence[ClassKey]) -> Means:
    """Differences of the classes' means.

    Args:
        sums: of all thoughts.
        counts: positions of each class.
        keys: the classes, in the order of the sums.
    """
    number = {key: k for k, key in enumerate(keys)}
    tokens = counts[number[ALL]]

    def mean(key: ClassKey) -> torch.Tensor:
        k = number[key]
        return sums.classes[:, k] / max(counts[k], 1)

    differences: dict[str, list[torch.Tensor]] = {}
    for name, draw, side in keys[1:]:
        if side:
            second = (name, draw, False)
            other = mean(second if second in number else ALL)
            differences.setdefault(name, []).append(mean((name, draw, True)) - other)
    return Means(
        residual_norms=sums.norms / max(tokens, 1),
        differences={name: torch.stack(rows) for name, rows in differences.items()},
        mean=mean(ALL),
        tokens=tokens,
    )


def principal_components(sampled: torch.Tensor, count: int) -> torch.Tensor:
    """Leading principal components of states by boundary.

    Args:
        sampled: [position, boundary, d_model].
        count: components; fewer if there are fewer positions or dimensions.

    Returns:
        [boundary, component, d_model], float32, orthonormal. The largest entry of each
        is positive.
    """
    positions, boundaries, width = sampled.shape
    kept = max(min(count, positions - 1, width), 0)
    found = torch.zeros(boundaries, kept, width)
    if not kept:
        return found
    for boundary in range(boundaries):
        rows = sampled[:, boundary].double()
        axes = torch.linalg.svd(rows - rows.mean(0), full_matrices=False).Vh[:kept]
        largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
        found[boundary] = (axes * largest.sign()).float()
    return found


def directions_of(
    model: str, means: Means, probe: MatchedProbe | None, components: torch.Tensor
) -> Directions:
    """The directions of a study; recipes without a difference have none.

    Args:
        model: its name.
        means: of the fit thoughts.
        probe: the refit probe; None: absent.
        components: [boundary, k, d_model].
    """
    lengths = {name: d.norm(dim=-1) for name, d in means.differences.items()}
    units = {
        name: difference / lengths[name].clamp_min(TINY)[..., None]
        for name, difference in means.differences.items()
    }
    if probe is not None:
        units[PROBE] = torch.from_numpy(probe.vectors)
        lengths[PROBE] = torch.from_numpy(probe.gaps)
    return Directions(
        model=model,
        residual_norms=means.residual_norms.float(),
        mean_norms=means.mean.norm(dim=-1).float(),
        components=components,
        vectors={name: rows[0].float() for name, rows in units.items()},
        norms={name: rows[0].float() for name, rows in lengths.items()},
        shuffled={name: rows[1:].float() for name, rows in units.items()},
        shuffled_norms={name: rows[1:].float() for name, rows in lengths.items()},
    )


@dataclass(frozen=True)
class Support:
    """The cases behind a direction."""

    name: str
    cases: int
    problems: int
    positions: int
    why_not: str | None

    @classmethod
    def of(cls, recipe: Recipe, least_problems: int) -> "Support":
        """The first class of a recipe."""
        counts = recipe.counts()
        return cls(recipe.name, *counts, recipe.why_not(least_problems))

    @classmethod
    def of_probe(cls, cases: pl.DataFrame, why_not: str | None) -> "Support":
        """The pairs of the matched probe."""
        problems = cases.filter("label")["problem"].n_unique()
        return cls(PROBE, cases.height // 2, problems, cases.height, why_not)


def table_rows(
    supports: Sequence[Support], directions: Directions
) -> list[dict[str, Any]]:
    """Rows of `DIRECTIONS`."""
    rows = []
    for support in supports:
        for boundary, residual in enumerate(directions.residual_norms.double()):
            row: dict[str, Any] = dict.fromkeys(DIRECTIONS.schema) | {
                "direction": support.name,
                "boundary": boundary,
                "cases": support.cases,
                "problems": support.problems,
                "positions": support.positions,
                "why_not": support.why_not,
            }
            if support.why_not is None:
                norm = directions.norms[support.name][boundary].double()
                draws = directions.shuffled_norms[support.name][:, boundary].double()
                row |= {
                    "norm": norm.item(),
                    "residual_norm": residual.item(),
                    "mean_norm": directions.mean_norms[boundary].item(),
                    "separation": (norm / residual).item(),
                    "shuffled_separation": (draws.mean() / residual).item(),
                    "shuffled_highest": (draws.max() / residual).item(),
                }
            rows.append(row)
    return rows
