"""The causal check of MLP units: scale them where the model turns back.

At a backtrack's position the activations of the units of largest and of smallest cosine
are multiplied by each factor, and so are, for comparison, draws of random units of the
same layer whose writes at that position are of like norm.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import torch

from doubletake.interventions import Scaling, plain_states, scaled_states
from doubletake.lens import Lens
from doubletake.models import Decoder
from doubletake.schemas.verification import VERIFICATION
from doubletake.turns import BACKTRACK, WRAP_UP
from doubletake.value_vectors import ENDS, LayerUnits, like_units

STAGE = "value_vectors"
FLOAT32_BOUND = 1e-3  # logits, and relative for activations


@dataclass(frozen=True)
class CheckSettings:
    """How the causal check is made."""

    checked_vectors: int
    """Vectors of either end scaled together."""
    factors: tuple[float, ...]
    """What their activations are multiplied with."""
    random_draws: int
    """Draws of random vectors."""
    seed: int
    """Of positions and random vectors."""
    batch_memory: float
    """Memory that one batch may take beyond the model, GiB."""


@dataclass
class Findings:
    """What the check found, and how far its short way was off."""

    interventions: list[dict[str, Any]] = field(default_factory=list)
    logit_error: float = 0.0
    activation_error: float = 0.0
    logits: int = 0
    activations: int = 0

    def verification(self, dtype: str) -> pl.DataFrame:
        """Rows of `schemas.VERIFICATION`."""
        bound = FLOAT32_BOUND if dtype == "float32" else None
        shared = "units scaled on a shared prefix against plain full passes"
        cached = "activations from the cache against a full pass"
        figures = (
            (shared, "largest difference of logits", "logit", "logit"),
            (cached, "largest difference", "of the largest activation", "activation"),
        )
        rows: list[dict[str, Any]] = []
        for check, statistic, unit, what in figures:
            n = self.logits if what == "logit" else self.activations
            value = self.logit_error if what == "logit" else self.activation_error
            row: dict[str, Any] = {"stage": STAGE, "check": check}
            row["statistic"] = statistic
            row |= {"value": value if n else None, "unit": unit, "n": n, "bound": bound}
            rows.append(row)
        return VERIFICATION.frame(rows)


def plan_of(
    units: list[LayerUnits], turn: int, draw: random.Random, settings: CheckSettings
) -> list[tuple[dict[str, Any], Scaling]]:
    """What to scale at one position: row parts of the table, and the scaling.

    Args:
        units: of all layers.
        turn: row of the turn in their activations.
        draw: of the random units.
        settings: how many, how often, by what.
    """
    plan = []
    for part in units:
        writes = part.acts[turn].abs() * part.norms
        for end in ENDS:
            top = part.top[end][: settings.checked_vectors]
            draws = [
                like_units(writes, top, draw) for _ in range(settings.random_draws)
            ]
            for number, chosen in enumerate([top, *draws]):
                written = float(writes[chosen].sum())
                for factor in settings.factors:
                    row = {"layer": part.layer, "end": end, "draw": number}
                    row |= {"factor": factor, "written": written}
                    plan.append((row, Scaling(part.layer, tuple(chosen), factor)))
    return plan


def group_logits(
    lens: Lens, states: torch.Tensor, targets: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Logit of the backtrack words, and that minus the wrap-up words': [state, 2].

    The logit of a group is the logsumexp of its tokens' logits.
    """
    normed = states.to(lens.norm_gain.device)
    words = {
        group: lens.logits(normed, tokens).logsumexp(-1).cpu()
        for group, tokens in targets.items()
    }
    return torch.stack([words[BACKTRACK], words[BACKTRACK] - words[WRAP_UP]], dim=-1)


def checked_turns(turns: pl.DataFrame, count: int, seed: int) -> list[int]:
    """Rows of the backtracks to check: a draw that depends on seed and event alone."""
    kinds = turns.select("kind", "trace", "event").rows()
    rows = [k for k, (kind, *_) in enumerate(kinds) if kind == BACKTRACK]
    rank = {k: random.Random(f"{seed}/{kinds[k][1:]}").random() for k in rows}
    return sorted(rows, key=rank.__getitem__)[:count]


class Check:
    """The causal check: scales units at backtracks, one position after the other."""

    def __init__(
        self,
        decoder: Decoder,
        units: list[LayerUnits],
        targets: dict[str, torch.Tensor],
        settings: CheckSettings,
    ) -> None:
        """Nothing is computed yet."""
        self.decoder, self.units, self.settings = decoder, units, settings
        self.targets, self.lens = targets, Lens.of(decoder)
        self.findings = Findings()

    def add(self, turn: dict[str, Any], row: int, ids: list[int], verify: bool) -> int:
        """Check one backtrack; return the tokens that the model read.

        Args:
            turn: row of `schemas.TURNS`.
            row: of the turn in the units' activations.
            ids: tokens up to the position, which is the last.
            verify: whether to compute all of it again without a shared prefix.
        """
        name = f"trace {turn['trace']}"
        draw = random.Random(f"{self.settings.seed}/{turn['trace']}/{turn['event']}")
        plan = plan_of(self.units, row, draw, self.settings)
        scalings = [Scaling(self.units[0].layer, (), 1.0), *(s for _, s in plan)]
        memory = self.settings.batch_memory
        states = scaled_states(self.decoder, ids, scalings, memory, name)
        logits = group_logits(self.lens, states, self.targets)
        place = {key: turn[key] for key in ("trace", "event", "problem")}
        found = (logits[1:] - logits[0]).tolist()
        for (part, _), change in zip(plan, found, strict=True):
            changes = dict(zip(("target", "margin"), change, strict=True))
            self.findings.interventions.append(place | part | changes)
        if verify:
            self._verify(ids, scalings, logits, row, name)
        return len(ids) - 1 + len(scalings)

    def _verify(
        self,
        ids: list[int],
        scalings: list[Scaling],
        logits: torch.Tensor,
        row: int,
        name: str,
    ) -> None:
        found = self.findings
        seen: dict[int, torch.Tensor] = {}

        def keep(layer: int) -> Any:
            def hook(_: Any, inputs: tuple[torch.Tensor]) -> None:
                seen[layer] = inputs[0][0, -1].float().cpu()

            return hook

        memory = self.settings.batch_memory
        handles = [
            self.decoder.mlp_down(part.layer).register_forward_pre_hook(
                keep(part.layer)
            )
            for part in self.units
        ]
        try:
            plain_states(self.decoder, ids, scalings[:1], memory, name)
        finally:
            for handle in handles:
                handle.remove()
        states = plain_states(self.decoder, ids, scalings, memory, name)
        plain = group_logits(self.lens, states, self.targets)
        found.logit_error = max(found.logit_error, (plain - logits).abs().max().item())
        found.logits += logits.numel()
        for part in self.units:
            error = (part.acts[row] - seen[part.layer]).abs().max()
            relative = (error / seen[part.layer].abs().max()).item()
            found.activation_error = max(found.activation_error, relative)
            found.activations += len(seen[part.layer])
