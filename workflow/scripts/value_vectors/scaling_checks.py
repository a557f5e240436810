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

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.lens import Lens
from doubletake.stats.draws import Name, generator, ranked_by_generator
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow, verification_of
from turns.reading import BACKTRACK, WRAP_UP
from value_vectors.interventions import Scaling, plain_states, scaled_states
from value_vectors.vectors import ENDS, LayerUnits, like_units

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
    logits: Largest = field(default_factory=Largest)
    activations: Largest = field(default_factory=Largest)

    def verification(self, dtype: str) -> pl.DataFrame:
        """Rows of `schemas.VERIFICATION`."""
        bound = FLOAT32_BOUND if dtype == "float32" else None
        logits = VerificationRow(
            check="units scaled on a shared prefix against plain full passes",
            statistic="largest difference of logits",
            value=self.logits.value,
            unit="logit",
            n=self.logits.n,
            bound=bound,
            merge="max",
        )
        activations = VerificationRow(
            check="activations from the cache against a full pass",
            statistic="largest difference",
            value=self.activations.value,
            unit="of the largest activation",
            n=self.activations.n,
            bound=bound,
            merge="max",
        )
        return verification_of(STAGE, [logits, activations])


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
    names = turns.select("kind", "trace", "event").iter_rows()
    row_of: dict[Name, int] = {
        (trace, event): row
        for row, (kind, trace, event) in enumerate(names)
        if kind == BACKTRACK
    }
    return [row_of[name] for name in ranked_by_generator(row_of, seed)[:count]]


def scalings_at(units: list[LayerUnits], settings: CheckSettings) -> int:
    """Ways in which one position is read: none scaled, and every row of its plan."""
    draws = 1 + settings.random_draws
    return 1 + len(units) * len(ENDS) * draws * len(settings.factors)


def verified_of(
    positions: list[tuple[str, int, int]], scalings: int, settings: Verification
) -> dict[tuple[str, int], set[int]]:
    """Numbers of the scalings to compute by a full pass, by trace and event.

    Costs are tokens of all layers: the work reads a prefix once and its last token
    once for each scaling, a full pass reads all of it for one.

    Args:
        positions: trace, event and number of tokens of every position that is checked.
        scalings: at each; number 0 scales nothing.
        settings: how many.
    """
    cases = [
        Case((trace, event, number), tokens)
        for trace, event, tokens in positions
        for number in range(scalings)
    ]
    work = sum(tokens - 1 + scalings for _, _, tokens in positions)
    found: dict[tuple[str, int], set[int]] = {}
    for case in drawn(cases, work, settings):
        trace, event, number = case.name
        found.setdefault((str(trace), int(event)), set()).add(int(number))
    return found


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

    def add(
        self, turn: dict[str, Any], row: int, ids: list[int], verified: set[int]
    ) -> int:
        """Check one backtrack; return the tokens that the model read.

        Args:
            turn: row of `schemas.TURNS`.
            row: of the turn in the units' activations.
            ids: tokens up to the position, which is the last.
            verified: numbers of the scalings to compute by a full pass too.
        """
        name = f"trace {turn['trace']}"
        draw = generator(self.settings.seed, turn["trace"], turn["event"])
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
        for number in sorted(verified):
            self._verify(ids, scalings[number], logits[number], row, name)
        return len(ids) - 1 + len(scalings)

    def _verify(
        self,
        ids: list[int],
        scaling: Scaling,
        logits: torch.Tensor,
        row: int,
        name: str,
    ) -> None:
        """One full pass: the scaling's logits, and activations not behind it."""
        # What a scaling changes enters the layers behind its own.
        parts = [p for p in self.units if not scaling.units or p.layer <= scaling.layer]
        seen: dict[int, torch.Tensor] = {}

        def keep(layer: int) -> Any:
            def hook(_: Any, inputs: tuple[torch.Tensor]) -> None:
                seen[layer] = inputs[0][0, -1].float().cpu()

            return hook

        # Registered before the scaling's own hook, so that it sees what comes in.
        downs = {part.layer: self.decoder.mlp_down(part.layer) for part in parts}
        with registered(
            down.register_forward_pre_hook(keep(layer)) for layer, down in downs.items()
        ):
            memory = self.settings.batch_memory
            states = plain_states(self.decoder, ids, [scaling], memory, name)
        plain = group_logits(self.lens, states, self.targets)[0]
        found = self.findings
        found.logits.add((plain - logits).abs().max().item(), logits.numel())
        for part in parts:
            error = (part.acts[row] - seen[part.layer]).abs().max()
            relative = (error / seen[part.layer].abs().max()).item()
            found.activations.add(relative, len(seen[part.layer]))
