"""One packed pass per event: the turn's log-odds with every change, and plain."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import torch

from directions.tables import TEST
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.interventions import Intervention
from doubletake.model.packed_interventions import (
    PackedInterventions,
    TurnReader,
    plain_states,
)
from loop.interventions import STEERING, Change

Listed = Mapping[int, tuple[torch.Tensor, torch.Tensor]]
"""By layer: numbers of hidden units, and what each writes along the probe's direction
per activation (norm times cosine)."""


def listed_units(value_vectors: pl.DataFrame) -> Listed:
    """The units of `VALUE_VECTORS` on the side `for`, by layer."""
    found: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    rows = value_vectors.filter(side="for").sort("layer", "rank")
    for (layer,), part in rows.group_by("layer", maintain_order=True):
        weights = (part["norm"] * part["cosine"]).to_list()
        numbers = torch.tensor(part["vector"].to_list())
        found[int(str(layer))] = (numbers, torch.tensor(weights, dtype=torch.float64))
    return found


@dataclass
class Written:
    """What the listed units write at the last token of a plain pass."""

    decoder: Decoder
    listed: Listed
    parts: dict[int, float] = field(default_factory=dict)

    @property
    def total(self) -> float | None:
        """Sum over all layers of the last pass inside `watched`; None: no unit."""
        return sum(self.parts.values()) if self.listed else None

    @contextmanager
    def watched(self, token: int) -> Iterator[None]:
        """Inside it, every pass leaves what is written at this token of its row 0."""

        def hook(layer: int) -> Any:
            numbers, weights = self.listed[layer]

            def keep(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
                own = inputs[0][0, token].double().cpu()
                self.parts[layer] = float(own[numbers] @ weights)

            return keep

        with registered(
            self.decoder.mlp_down(layer).register_forward_pre_hook(hook(layer))
            for layer in self.listed
        ):
            yield


class WatchedInterventions(PackedInterventions):
    """Packed interventions; what is written without a change is kept, too."""

    def __init__(self, written: Written, *arguments: Any) -> None:
        """As `PackedInterventions`.

        Args:
            written: where it is kept.
            arguments: of `PackedInterventions`.
        """
        super().__init__(*arguments)
        self.written = written

    @contextmanager
    def changed(self, numbers: Sequence[int]) -> Iterator[None]:
        """As in `PackedInterventions`; query 0 is the one without a change."""
        with super().changed(numbers):
            if 0 not in numbers:
                yield
                return
            with self.written.watched(list(numbers).index(0)):
                yield


class Events:
    """Measures events; the changes are the same at all of them."""

    def __init__(
        self,
        decoder: Decoder,
        reader: TurnReader,
        changes: Sequence[Change],
        listed: Listed,
        batch_memory: float,
    ) -> None:
        """Keep the model and what is done.

        Args:
            decoder: the model.
            reader: of final states.
            changes: made at events of test problems.
            listed: the units whose writing is read.
            batch_memory: memory for a batch in addition to the model, in GiB.
        """
        self.decoder, self.reader, self.changes = decoder, reader, changes
        self.sets: list[tuple[Intervention, ...]] = [
            one.interventions for one in changes
        ]
        self.written = Written(decoder, listed)
        self._none = WatchedInterventions(self.written, decoder, [], batch_memory)
        self._all = WatchedInterventions(self.written, decoder, self.sets, batch_memory)

    def measured(
        self, ids: Sequence[int], part: str, name: str
    ) -> tuple[dict[str, Any], list[float]]:
        """Columns of `LOOP_EFFECTS`, and the log-odds: plain, then with each change.

        Args:
            ids: tokens up to the position.
            part: of the problem.
            name: what to call the sequence in a message.
        """
        passes = self._all if part == TEST else self._none
        values = self.reader.log_odds(passes.states(ids, name))
        columns = {
            "log_odds": float(values[0]),
            "mass": float(values[0].sigmoid()),
            "value_vectors": self.written.total,
            "part": part,
        }
        odds = values.tolist()
        return columns | self._effects(odds), odds

    def _effects(self, odds: Sequence[float]) -> dict[str, float | None]:
        """The change of the log-odds by kind, and the mean over random ones."""
        found: dict[tuple[str, bool], list[float]] = defaultdict(list)
        for change, value in zip(self.changes, odds[1:], strict=False):
            sign = 1.0 if change.kind == STEERING else -1.0
            found[change.kind, change.draw > 0].append(sign * (value - odds[0]))

        def mean(kind: str, random: bool) -> float | None:
            values = found.get((kind, random))
            return sum(values) / len(values) if values else None

        return {
            "steering": mean(STEERING, False),
            "steering_random": mean(STEERING, True),
            "units_support": mean("units", False),
            "units_random": mean("units", True),
            "heads_support": mean("heads", False),
            "heads_random": mean("heads", True),
        }

    def plain(self, ids: Sequence[int], number: int) -> tuple[float, float | None]:
        """The log-odds of one query and what is written, from a full pass with hooks.

        Args:
            ids: tokens up to the position.
            number: 0: nothing is changed; k: the k-th change is made.
        """
        made = self.sets[number - 1] if number else ()
        with self.written.watched(-1):
            states = plain_states(self.decoder, ids, made)
        return float(self.reader.log_odds(states)[0]), self.written.total
