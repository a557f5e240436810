"""The causal check of MLP units: zero them where the model turns back.

At the position of a backtrack, the activations of a set of units are set to 0, and the
log-odds of the backtrack words are computed again. Sets are the units of largest and of
smallest cosine of a layer, and random units of this layer that write as much.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import torch

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.lens import Lens
from doubletake.model.word_log_odds import word_log_odds
from doubletake.running.logs import Progress
from doubletake.stats.verification import Largest
from doubletake.tables.verification import VerificationRow
from value_vectors.check_plan import (
    CausalCheckSettings,
    cases_to_verify,
    checked_rows,
    planned_sets,
)
from value_vectors.mlp_units import LayerUnits
from value_vectors.tables import VALUE_VECTOR_INTERVENTIONS, VALUE_VECTOR_SETS
from value_vectors.unit_zeroing import Zeroing, full_pass_states, zeroed_states

# ASSUME: float32 rounding stays below this; chosen by hand.
FLOAT32_BOUND = 1e-3  # nats, and relative for activations


@dataclass
class CheckResults:
    """Sets, changes of the log-odds, and the largest errors of the fast method."""

    sets: pl.DataFrame = field(default_factory=VALUE_VECTOR_SETS.schema.to_frame)
    interventions: list[pl.DataFrame] = field(default_factory=list)
    log_odds: Largest = field(default_factory=Largest)
    activations: Largest = field(default_factory=Largest)

    @property
    def table(self) -> pl.DataFrame:
        """The table `value_vectors/interventions`."""
        empty = VALUE_VECTOR_INTERVENTIONS.schema.to_frame()
        return pl.concat([empty, *self.interventions])

    def verification(self, dtype: str) -> list[VerificationRow]:
        """Rows of the table `verification`."""
        bound = FLOAT32_BOUND if dtype == "float32" else None
        log_odds = VerificationRow(
            check="units zeroed on a shared prefix against plain full passes",
            statistic="largest difference of log-odds",
            value=self.log_odds.value,
            unit="nats",
            n=self.log_odds.n,
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
        return [log_odds, activations]


class CausalCheck:
    """Zeroes units at backtracks, one position after the other."""

    def __init__(
        self,
        decoder: Decoder,
        layers: list[LayerUnits],
        sets: pl.DataFrame,
        words: torch.Tensor,
        settings: CausalCheckSettings,
    ) -> None:
        """Prepare the check; nothing is computed yet.

        Args:
            decoder: the model.
            layers: units of the layers.
            sets: the table `value_vectors/sets`.
            words: [token], ids of the backtrack words.
            settings: how.
        """
        self.decoder, self.layers, self.settings = decoder, layers, settings
        self.words, self.lens = words, Lens.of(decoder)
        self.keys = sets.select("layer", "side", "draw")
        named = sets.select("layer", "vectors").iter_rows()
        nothing = Zeroing(layers[0].layer, ())
        self.zeroings = [nothing, *(Zeroing(k, tuple(units)) for k, units in named)]
        self.results = CheckResults(sets)

    def check_turn(
        self, turn: dict[str, Any], row: int, ids: list[int], verified: set[int]
    ) -> int:
        """Check one backtrack; return the number of tokens that the model read.

        Args:
            turn: its row of the table `turns`.
            row: row of the turn in the units' activations.
            ids: tokens up to the position, which is the last.
            verified: numbers of the zeroings to compute again by a full pass.
        """
        name = f"trace {turn['trace']}"
        memory = self.settings.batch_memory
        states = zeroed_states(self.decoder, ids, self.zeroings, memory, name)
        log_odds = word_log_odds(self.lens, states, self.words)
        changes = (log_odds[1:] - log_odds[0]).double().numpy()
        rows = self.keys.with_columns(
            *(pl.lit(turn[key]).alias(key) for key in ("trace", "problem")),
            event=pl.lit(turn["event"], pl.Int32),
            log_odds=pl.lit(log_odds[0].item()),
            log_odds_change=pl.Series(changes),
        )
        columns = list(VALUE_VECTOR_INTERVENTIONS.schema)
        self.results.interventions.append(rows.select(columns))
        for number in sorted(verified):
            self._verify(ids, self.zeroings[number], log_odds[number], row, name)
        return len(ids) - 1 + len(self.zeroings)

    def _verify(
        self,
        ids: list[int],
        zeroing: Zeroing,
        log_odds: torch.Tensor,
        row: int,
        name: str,
    ) -> None:
        """Compare log-odds and activations with those of one full pass.

        Only layers up to the zeroed one are compared: zeroing changes the input of the
        layers after it.
        """
        parts = [
            part
            for part in self.layers
            if not zeroing.units or part.layer <= zeroing.layer
        ]
        seen: dict[int, torch.Tensor] = {}

        def keep(layer: int) -> Callable[[Any, tuple[torch.Tensor]], None]:
            def hook(_: Any, inputs: tuple[torch.Tensor]) -> None:
                seen[layer] = inputs[0][0, -1].float().cpu()

            return hook

        # Registered before the hook that zeroes, so that it sees unchanged inputs.
        downs = {part.layer: self.decoder.mlp_down(part.layer) for part in parts}
        with registered(
            down.register_forward_pre_hook(keep(layer)) for layer, down in downs.items()
        ):
            memory = self.settings.batch_memory
            states = full_pass_states(self.decoder, ids, [zeroing], memory, name)
        full = word_log_odds(self.lens, states, self.words)[0]
        self.results.log_odds.add((full - log_odds).abs().item())
        for part in parts:
            error = (part.at_backtracks[row] - seen[part.layer]).abs().max()
            relative = (error / seen[part.layer].abs().max()).item()
            self.results.activations.add(relative, len(seen[part.layer]))


def check_backtracks(
    decoder: Decoder,
    layers: list[LayerUnits],
    backtracks: pl.DataFrame,
    tokens: dict[str, list[int]],
    words: torch.Tensor,
    settings: CausalCheckSettings,
) -> tuple[CheckResults, Progress]:
    """The causal check at the drawn backtracks.

    Args:
        decoder: the model.
        layers: units of the chosen layers.
        backtracks: the selected ones, in the order of the units' activations.
        tokens: all token ids of each trace.
        words: [token], ids of the backtrack words.
        settings: how.
    """
    rows = checked_rows(backtracks, settings.checked_positions, settings.seed)
    sets = planned_sets(layers, rows, settings)
    check = CausalCheck(decoder, layers, sets, words, settings)
    positions = [
        (trace, event, position + 1)
        for trace, event, position in (
            backtracks.select("trace", "event", "position").row(row) for row in rows
        )
    ]
    verified = cases_to_verify(positions, len(check.zeroings), settings.verification)
    progress = Progress(len(rows), "backtracks")
    for row in rows:
        turn = backtracks.row(row, named=True)
        ids = tokens[turn["trace"]][: turn["position"] + 1]
        numbers = verified.get((turn["trace"], turn["event"]), set())
        progress.update(1, check.check_turn(turn, row, ids, numbers))
    progress.close()
    return check.results, progress
