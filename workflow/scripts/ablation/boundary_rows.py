"""Rows of the tables of boundaries and sets, and the check against plain passes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ablation.boundaries import Boundary
from ablation.sets import AblationSet, Plan
from ablation.targets import DIRECTIONS, NAMED, NONE
from doubletake.model.decoder import Decoder
from doubletake.model.packed_interventions import (
    PackedInterventions,
    TurnReader,
    plain_states,
)
from doubletake.running.logs import Progress
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow

# ASSUME: float32 sums in another order change a probability by less; chosen by hand.
FLOAT32_BOUND = 1e-4


class BoundarySettings(Protocol):
    """What is read of the settings."""

    @property
    def batch_memory(self) -> float:
        """Memory for one batch in addition to the model, in GiB."""

    @property
    def verification(self) -> Verification:
        """How many cases are computed again."""


@dataclass
class Measured:
    """The probabilities at all boundaries."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `ABLATION`."""
    sets: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `ABLATION_SETS`."""
    differences: Largest = field(default_factory=Largest)
    """To plain passes."""

    @property
    def plain_mean(self) -> float | None:
        """Mean probability of turning back without an ablation."""
        values = [
            row["turn_probability"] for row in self.rows if row["ablation"] == NONE
        ]
        return float(np.mean(values)) if values else None

    def checks(self, dtype: str) -> list[VerificationRow]:
        """Rows of `VERIFICATION`; only float32 has a bound."""
        return [
            VerificationRow(
                check="ablations on a shared prefix against plain full passes",
                statistic="max |difference|",
                value=self.differences.value,
                unit="probability",
                n=self.differences.n,
                bound=FLOAT32_BOUND if dtype == "float32" else None,
                merge="max",
            )
        ]


def measured_boundaries(
    decoder: Decoder,
    reader: TurnReader,
    boundaries: Sequence[Boundary],
    ids: Mapping[str, list[int]],
    plan: Plan,
    settings: BoundarySettings,
    progress: Progress,
) -> Measured:
    """The probability of turning back with every set, at every boundary.

    Args:
        decoder: the model.
        reader: of final states.
        boundaries: of test problems.
        ids: all tokens of each trace.
        plan: what is taken away.
        settings: memory and verification.
        progress: counts boundaries.
    """
    measured = Measured()
    if not boundaries:
        return measured
    verified = cases_to_verify(boundaries, len(plan.sets), settings.verification)
    sets = [one.interventions for one in plan.sets]
    packed = PackedInterventions(decoder, sets, settings.batch_memory)
    totals = np.zeros(len(plan.sets))
    for boundary in boundaries:
        prefix = ids[boundary.trace][: boundary.position + 1]
        name = f"trace {boundary.trace}"
        values = packed.probabilities(reader, prefix, name).numpy()
        totals += values[1:]
        measured.rows += boundary_rows(boundary, plan.sets, values)
        for number in sorted(verified.get(boundary.name, ())):
            states = plain_states(decoder, prefix, sets[number])
            plain = float(reader.probabilities(states)[0])
            measured.differences.add(abs(plain - values[1 + number]))
        progress.update(1, len(prefix) + len(plan.sets))
    means = totals / len(boundaries)
    for one, mean in zip(plan.sets, means.tolist(), strict=True):
        measured.sets.append(set_row(one, len(boundaries), mean))
    return measured


def boundary_rows(
    boundary: Boundary, sets: Sequence[AblationSet], values: np.ndarray
) -> list[dict[str, Any]]:
    """Rows of `ABLATION` of one boundary.

    Args:
        boundary: where.
        sets: what was taken away.
        values: [1 + set], probabilities; the first without an ablation.
    """
    by_name: dict[tuple[str, str], list[float]] = {(NONE, NAMED): [float(values[0])]}
    for one, value in zip(sets, values[1:].tolist(), strict=True):
        by_name.setdefault((one.ablation, one.null), []).append(value)
    return [
        {
            "ablation": ablation,
            "null": null,
            "trace": boundary.trace,
            "problem": boundary.problem,
            "event": boundary.event,
            "position": boundary.position,
            "turn_probability": float(np.mean(found)),
        }
        for (ablation, null), found in by_name.items()
    ]


def set_row(one: AblationSet, boundaries: int, mean: float) -> dict[str, Any]:
    """A row of `ABLATION_SETS`.

    Args:
        one: what was taken away.
        boundaries: number of test boundaries.
        mean: of the probability of turning back.
    """
    group = one.ablation.partition("/")[0]
    is_direction = group in (*DIRECTIONS, "directions")
    return {
        "ablation": one.ablation,
        "null": one.null,
        "draw": one.draw,
        "layers": [layer for layer, _ in one.members],
        "members": [] if is_direction else [number for _, number in one.members],
        "written": one.written,
        "boundaries": boundaries,
        "turn_probability": mean,
    }


def cases_to_verify(
    boundaries: Sequence[Boundary], sets: int, settings: Verification
) -> dict[tuple[str | int, ...], set[int]]:
    """Numbers of the sets to compute again by a full pass, by boundary.

    Costs are tokens: the work reads a prefix once and its last token once per set, a
    full pass reads all tokens for one set.

    Args:
        boundaries: all of them.
        sets: their number.
        settings: how many to verify.
    """
    cases = [
        Case((*one.name, number), one.position + 1)
        for one in boundaries
        for number in range(sets)
    ]
    work = sum(one.position + 1 + sets for one in boundaries)
    numbers: dict[tuple[str | int, ...], set[int]] = {}
    for case in drawn(cases, work, settings):
        *name, number = case.name
        numbers.setdefault(tuple(name), set()).add(int(number))
    return numbers
