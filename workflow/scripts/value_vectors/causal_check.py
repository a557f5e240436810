"""The causal check of MLP units: scale them where the model turns back.

At the position of a backtrack, the activations of the units of largest and of smallest
cosine are multiplied by each factor. For comparison the same is done with draws of
random units of the same layer, which have similar |activation| times norm there.
"""

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import torch

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.lens import Lens
from doubletake.running.logs import Progress
from doubletake.stats.draws import generator
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow, verification_of
from turns.reading import BACKTRACK, WRAP_UP
from value_vectors.mlp_units import LayerUnits
from value_vectors.scaling_plan import (
    CausalCheckSettings,
    checked_turn_rows,
    planned_scalings,
    scalings_per_position,
    scalings_to_verify,
)
from value_vectors.unit_scaling import Scaling, full_pass_states, scaled_states

STAGE = "value_vectors"
# ASSUME: float32 rounding stays below this; chosen by hand.
FLOAT32_BOUND = 1e-3  # logits, and relative for activations


@dataclass
class CheckResults:
    """Changes of the logits, and the largest errors of the shared-prefix method."""

    interventions: list[dict[str, Any]] = field(default_factory=list)
    logits: Largest = field(default_factory=Largest)
    activations: Largest = field(default_factory=Largest)

    def verification(self, dtype: str) -> pl.DataFrame:
        """Rows of the table `verification`."""
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


def word_logits(
    lens: Lens, states: torch.Tensor, token_ids: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Logit of the backtrack words, and its margin over the wrap-up words: [state, 2].

    Args:
        lens: of the model.
        states: [state, d_model], after the final norm.
        token_ids: of each group of words.
    """
    normed = states.to(lens.norm_gain.device)
    # ASSUME: the logsumexp of its tokens' logits is the logit of a group of words.
    groups = {
        group: lens.logits(normed, tokens).logsumexp(-1).cpu()
        for group, tokens in token_ids.items()
    }
    margin = groups[BACKTRACK] - groups[WRAP_UP]
    return torch.stack([groups[BACKTRACK], margin], dim=-1)


class CausalCheck:
    """Scales units at backtracks, one position after the other."""

    def __init__(
        self,
        decoder: Decoder,
        layers: list[LayerUnits],
        token_ids: dict[str, torch.Tensor],
        settings: CausalCheckSettings,
    ) -> None:
        """Prepare the check; nothing is computed yet.

        Args:
            decoder: the model.
            layers: units of the layers.
            token_ids: of each group of words.
            settings: how.
        """
        self.decoder, self.layers, self.settings = decoder, layers, settings
        self.token_ids, self.lens = token_ids, Lens.of(decoder)
        self.results = CheckResults()

    def check_turn(
        self, turn: dict[str, Any], turn_row: int, ids: list[int], verified: set[int]
    ) -> int:
        """Check one backtrack; return the number of tokens that the model read.

        Args:
            turn: its row of the table `turns`.
            turn_row: row of the turn in the units' activations.
            ids: tokens up to the position, which is the last.
            verified: numbers of the scalings to compute again by a full pass.
        """
        name = f"trace {turn['trace']}"
        draw = generator(self.settings.seed, turn["trace"], turn["event"])
        plan = planned_scalings(self.layers, turn_row, draw, self.settings)
        unscaled = Scaling(self.layers[0].layer, (), 1.0)
        scalings = [unscaled, *(scaling for _, scaling in plan)]
        memory = self.settings.batch_memory
        states = scaled_states(self.decoder, ids, scalings, memory, name)
        logits = word_logits(self.lens, states, self.token_ids)
        keys = {key: turn[key] for key in ("trace", "event", "problem")}
        changes = (logits[1:] - logits[0]).tolist()
        for (row, _), change in zip(plan, changes, strict=True):
            measured = dict(zip(("logit_change", "margin_change"), change, strict=True))
            self.results.interventions.append(keys | row | measured)
        for number in sorted(verified):
            self._verify(ids, scalings[number], logits[number], turn_row, name)
        return len(ids) - 1 + len(scalings)

    def _verify(
        self,
        ids: list[int],
        scaling: Scaling,
        logits: torch.Tensor,
        turn_row: int,
        name: str,
    ) -> None:
        """Compare logits and activations with those of one full pass.

        Only layers up to the scaled one are compared: the scaling changes the input of
        the layers after it.
        """
        parts = [
            part
            for part in self.layers
            if not scaling.units or part.layer <= scaling.layer
        ]
        seen: dict[int, torch.Tensor] = {}

        def keep(layer: int) -> Any:
            def hook(_: Any, inputs: tuple[torch.Tensor]) -> None:
                seen[layer] = inputs[0][0, -1].float().cpu()

            return hook

        # Registered before the scaling's own hook, so that it sees unscaled inputs.
        downs = {part.layer: self.decoder.mlp_down(part.layer) for part in parts}
        with registered(
            down.register_forward_pre_hook(keep(layer)) for layer, down in downs.items()
        ):
            memory = self.settings.batch_memory
            states = full_pass_states(self.decoder, ids, [scaling], memory, name)
        full = word_logits(self.lens, states, self.token_ids)[0]
        results = self.results
        results.logits.add((full - logits).abs().max().item(), logits.numel())
        for part in parts:
            error = (part.activations[turn_row] - seen[part.layer]).abs().max()
            relative = (error / seen[part.layer].abs().max()).item()
            results.activations.add(relative, len(seen[part.layer]))


def check_backtracks(
    decoder: Decoder,
    layers: list[LayerUnits],
    turns: pl.DataFrame,
    tokens: dict[str, list[int]],
    token_ids: dict[str, torch.Tensor],
    settings: CausalCheckSettings,
) -> tuple[CheckResults, Progress]:
    """The causal check at the drawn backtracks.

    Args:
        decoder: the model.
        layers: units of the chosen layers.
        turns: the selected turns, in the order of the units' activations.
        tokens: all token ids of each trace.
        token_ids: of each group of words.
        settings: how.
    """
    check = CausalCheck(decoder, layers, token_ids, settings)
    turn_rows = checked_turn_rows(turns, settings.checked_positions, settings.seed)
    positions = [
        (trace, event, position + 1)
        for trace, event, position in (
            turns.select("trace", "event", "position").row(row) for row in turn_rows
        )
    ]
    scalings = scalings_per_position(layers, settings)
    verified = scalings_to_verify(positions, scalings, settings.verification)
    progress = Progress(len(turn_rows), "backtracks")
    for row in turn_rows:
        turn = turns.row(row, named=True)
        ids = tokens[turn["trace"]][: turn["position"] + 1]
        numbers = verified.get((turn["trace"], turn["event"]), set())
        progress.update(1, check.check_turn(turn, row, ids, numbers))
    progress.close()
    return check.results, progress
