"""Which ablations are made, with the random sets that each is compared with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ablation.activity import Activity
from ablation.interventions import projections, set_to
from ablation.rankings import Member
from ablation.sets import AblationSet, Plan, PlanSettings
from ablation.targets import (
    DIRECTIONS,
    EVERY,
    HEADS,
    MEAN,
    NAMED,
    NULLS,
    PROBE,
    PROJECT,
    RANDOM,
    UNITS,
    WITHIN,
    ZERO,
    version,
)
from directions.reading import Directions
from doubletake.stats.draws import array_generator
from doubletake.stats.matched_sets import matched_random_sets, replaceable
from doubletake.stats.random_ranks import draws_needed

NO_EXPERTS = "the model is a mixture of experts, whose units have no value vectors"
NO_DIRECTION = "the stage directions has no such direction"


class Planner:
    """Makes the sets of all targets."""

    def __init__(
        self,
        directions: Directions,
        activity: Activity,
        rankings: dict[str, list[Member]],
        settings: PlanSettings,
    ) -> None:
        """Keep what the sets are made of.

        Args:
            directions: of the study.
            activity: of the fit problems.
            rankings: members by target, the first first.
            settings: how many.
        """
        self.directions, self.activity = directions, activity
        self.rankings, self.settings = rankings, settings
        self.plan = Plan()
        known = [name for name in DIRECTIONS if name in directions.vectors]
        self.tests = len(known) + len([one for one in rankings.values() if one])

    def made(self) -> Plan:
        """The plan."""
        self._directions()
        for number, target in enumerate(UNITS):
            for size in self.settings.sizes:
                self._members(target, "units", size, number)
        for number, target in enumerate(HEADS):
            self._members(target, "heads", self.settings.heads, len(UNITS) + number)
        return self.plan

    def _draws(self, claimed: bool) -> int:
        per_test = self.settings.random_draws
        return draws_needed(per_test, max(self.tests, 1)) if claimed else per_test

    def _directions(self) -> None:
        last = len(self.directions.residual_norms) - 1
        one = self._one_boundary(last)
        every = list(range(last + 1))
        for what, mode, boundaries in (
            (EVERY, PROJECT, every),
            (EVERY, MEAN, every),
            (str(one), PROJECT, [one]),
        ):
            for name in DIRECTIONS:
                self._direction(name, what, mode, boundaries)
            for null in NULLS:
                self._random_directions(what, mode, null, boundaries)

    def _one_boundary(self, last: int) -> int:
        if self.settings.boundary is not None:
            return min(self.settings.boundary, last)
        name = PROBE if PROBE in self.directions.norms else None
        name = name or next(iter(sorted(self.directions.norms)), None)
        if name is None:
            return last
        apart = self.directions.norms[name] / self.directions.residual_norms
        return int(apart[1:].nan_to_num(0.0).argmax()) + 1

    def _direction(
        self, name: str, what: str, mode: str, boundaries: list[int]
    ) -> None:
        vectors = self.directions.vectors.get(name)
        claimed = (what, mode) == (EVERY, PROJECT) and vectors is not None
        row: dict[str, Any] = {
            "ablation": version(name, what, mode),
            "target": name,
            "mode": mode,
            "size": len(boundaries),
            "claimed": claimed,
            "boundary": None if what == EVERY else boundaries[0],
        }
        if vectors is None:
            self.plan.add(row, why_not=NO_DIRECTION)
            return
        self.plan.add(row, projection=self._projection(vectors, boundaries))
        chosen = {boundary: vectors[boundary] for boundary in boundaries}
        self._add_direction(row["ablation"], NAMED, 0, mode, chosen)

    def _projection(self, vectors: torch.Tensor, boundaries: list[int]) -> float:
        """Mean projection after arrivals of the fit problems, in residual norms."""
        values = [
            self.activity.resid_after_arrivals(boundary) @ vectors[boundary]
            for boundary in boundaries
        ]
        norms = self.directions.residual_norms[boundaries]
        return float((torch.stack(values) / norms).mean())

    def _add_direction(
        self,
        name: str,
        null: str,
        draw: int,
        mode: str,
        vectors: dict[int, torch.Tensor],
    ) -> None:
        model = self.directions.model
        made = projections(name, model, vectors, self.activity, mode)
        members = tuple((one.layer, 0) for one in made)
        self.plan.sets.append(AblationSet(name, null, draw, made, members))

    def _random_directions(
        self, what: str, mode: str, null: str, boundaries: list[int]
    ) -> None:
        known = any(name in self.directions.vectors for name in DIRECTIONS)
        inside = null == WITHIN
        if not known or (inside and self.directions.components.shape[1] < 2):
            return
        count = self._draws(claimed=(what, mode) == (EVERY, PROJECT))
        drawn = {
            boundary: self.directions.random(
                count,
                self.settings.seed + 1000 * (1 + boundary),
                within=inside,
                layer=boundary,
            )
            for boundary in boundaries
        }
        for k in range(count):
            vectors = {boundary: rows[k] for boundary, rows in drawn.items()}
            name = version("directions", what, mode)
            self._add_direction(name, null, k + 1, mode, vectors)

    def _members(self, target: str, part: str, size: int, number: int) -> None:
        """All modes of one target of units or heads."""
        ranking = self.rankings.get(target, [])
        members = sorted(ranking[:size])
        largest = size == self.settings.claimed_size or part == "heads"
        for mode in (ZERO, MEAN):
            claimed = mode == ZERO and largest and bool(members)
            row: dict[str, Any] = {
                "ablation": version(target, str(size), mode),
                "target": target,
                "mode": mode,
                "size": len(members),
                "claimed": claimed,
                "candidates": len(ranking),
            }
            if not members:
                experts = part == "units" and not self.activity.units
                why = NO_EXPERTS if experts else "no case in the fit problems"
                self.plan.add(row, why_not=why)
                continue
            draws = self._draws(claimed)
            # The sets of one size are the same in both modes.
            seed = array_generator(self.settings.seed, 100 * number + size)
            random_sets, fixed = self._random_members(part, members, draws, seed)
            if fixed == len(members):  # nothing else writes as much
                row, random_sets = row | {"claimed": False}, []
            self.plan.add(row, replaceable=len(members) - fixed)
            for draw, chosen in enumerate([members, *random_sets]):
                null = RANDOM if draw else NAMED
                self.plan.sets.append(
                    self._set(row["ablation"], null, draw, part, chosen, mode)
                )

    def _set(
        self,
        name: str,
        null: str,
        draw: int,
        part: str,
        members: Sequence[Member],
        mode: str,
    ) -> AblationSet:
        activity = self.activity
        made = set_to(name, self.directions.model, part, members, activity, mode)
        sizes = self._sizes(part)
        written = float(sum(sizes[layer][number] for layer, number in members))
        return AblationSet(name, null, draw, made, tuple(members), written)

    def _sizes(self, part: str) -> list[np.ndarray]:
        layers = self.activity.heads if part == "heads" else self.activity.units
        return [self.activity.sizes(part, k).numpy() for k in range(len(layers))]

    def _random_members(
        self,
        part: str,
        members: Sequence[Member],
        draws: int,
        rng: np.random.Generator,
    ) -> tuple[list[list[Member]], int]:
        """Random sets that write as much, and how many members none can replace.

        Units are drawn within their layer, heads among all heads.
        """
        sizes = self._sizes(part)
        if part == "heads":
            groups = [[(k, h) for k, one in enumerate(sizes) for h in range(len(one))]]
        else:
            groups = [[(k, u) for u in range(len(one))] for k, one in enumerate(sizes)]
        sets: list[list[Member]] = [[] for _ in range(draws)]
        fixed = 0
        for group in groups:
            places = [place for place, member in enumerate(group) if member in members]
            if not places:
                continue
            written = np.array([sizes[k][number] for k, number in group])
            fixed += len(places) - replaceable(written, places)
            drawn = matched_random_sets(written, places, draws, rng)
            for one, row in zip(sets, drawn.tolist(), strict=True):
                one += [group[place] for place in row]
        return [sorted(one) for one in sets], fixed


def checked_directions(directions: Directions, layers: int, d_model: int) -> None:
    """Refuse directions of another shape.

    Raises:
        ValueError: of another number of boundaries or another width.
    """
    shape = torch.Size([layers + 1, d_model])
    for name, vectors in directions.vectors.items():
        if vectors.shape != shape:
            raise ValueError(f"direction {name} has the shape {list(vectors.shape)}")
