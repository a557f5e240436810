"""What units and heads do in the thoughts of the fit problems, from one pass each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ablation.boundaries import Boundary
from doubletake.model.batch_memory import Widths, forward_bytes
from doubletake.model.batches import in_batches, padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked, projected, registered
from doubletake.model.value_vectors import value_vectors
from doubletake.running.logs import Progress


@dataclass(frozen=True)
class FitThought:
    """A thought on a fit problem, and the places in it where something is measured."""

    name: str
    ids: list[int]
    """Prompt and completion."""
    thought: tuple[int, int]
    """Its first token, and the token after its last."""
    boundaries: tuple[int, ...]
    """Positions right after arrivals."""
    backtracks: tuple[int, ...]
    """Positions that predict a backtrack."""


@dataclass
class PartActivity:
    """Sums over the states of the units, or of the heads, of one layer."""

    total: torch.Tensor
    """[width], over thought tokens."""
    at_boundaries: torch.Tensor
    """[unit or head], sum of the norm of what each one writes at boundaries."""
    at_backtracks: torch.Tensor
    """[width], over backtracks."""


@dataclass
class Activity:
    """What units and heads do on the fit problems, by layer."""

    heads: list[PartActivity]
    units: list[PartActivity]
    """Empty in a mixture of experts."""
    resid: list[torch.Tensor]
    """[d_model], sum of the residual stream over thought tokens, by boundary."""
    resid_at_boundaries: list[torch.Tensor]
    """[d_model], the same at the ends of arrivals' sentences."""
    tokens: int = 0
    boundaries: int = 0
    backtracks: int = 0

    def mean(self, part: str, layer: int) -> torch.Tensor:
        """Mean state over thought tokens: [width], float32."""
        return (self._of(part)[layer].total / max(self.tokens, 1)).float()

    def sizes(self, part: str, layer: int) -> torch.Tensor:
        """Mean norm of what each unit or head writes at boundaries, float64."""
        return self._of(part)[layer].at_boundaries / max(self.boundaries, 1)

    def mean_resid(self, boundary: int) -> torch.Tensor:
        """Mean residual stream over thought tokens: [d_model], float32."""
        return (self.resid[boundary] / max(self.tokens, 1)).float()

    def resid_after_arrivals(self, boundary: int) -> torch.Tensor:
        """Mean residual stream after arrivals: [d_model], float32."""
        return (self.resid_at_boundaries[boundary] / max(self.boundaries, 1)).float()

    def at_backtracks(self, layer: int) -> torch.Tensor:
        """Mean activation of the units at backtracks: [unit], float64."""
        return self.units[layer].at_backtracks / max(self.backtracks, 1)

    def _of(self, part: str) -> list[PartActivity]:
        return self.heads if part == "heads" else self.units


class Writing:
    """Norms of what units and heads write to the residual stream."""

    def __init__(self, decoder: Decoder) -> None:
        """Compute the norms of all value vectors, and keep the model."""
        self.decoder = decoder
        dense = decoder.layout.mlp_down is not None
        layers = range(decoder.n_layers) if dense else range(0)
        self.value_norms = [value_vectors(decoder, k).norm(dim=-1) for k in layers]

    def of_units(self, layer: int, states: torch.Tensor) -> torch.Tensor:
        """|activation| times norm of the value vector: [row, unit]."""
        return states.float().abs() * self.value_norms[layer]

    def of_heads(self, layer: int, states: torch.Tensor) -> torch.Tensor:
        """Norm of each head's part of the attention output: [row, head].

        Args:
            layer: of the heads.
            states: [row, head * d_head], input of the output projection.
        """
        heads = self.decoder.config.num_attention_heads
        # ASSUME: a norm after attention scales all heads alike, as for value vectors.
        weight = self.decoder.attention_out(layer).weight.float()
        parts = states.float().unflatten(-1, (heads, -1))
        weights = weight.unflatten(-1, (heads, -1))
        written = torch.einsum("rhe,dhe->rhd", parts, weights)
        return written.norm(dim=-1) * self.decoder.write_multiplier


def empty_activity(decoder: Decoder, writing: Writing) -> Activity:
    """No token is read yet."""

    def zeros(width: int, count: int) -> PartActivity:
        sizes = (width, count, width)
        return PartActivity(*(torch.zeros(n, dtype=torch.float64) for n in sizes))

    heads = decoder.config.num_attention_heads
    widths = [
        decoder.attention_out(layer).in_features for layer in range(decoder.n_layers)
    ]
    units = [len(norms) for norms in writing.value_norms]

    def streams() -> list[torch.Tensor]:
        sizes = [decoder.d_model] * (decoder.n_layers + 1)
        return [torch.zeros(size, dtype=torch.float64) for size in sizes]

    return Activity(
        [zeros(width, heads) for width in widths],
        [zeros(n, n) for n in units],
        streams(),
        streams(),
    )


def measured_activity(
    decoder: Decoder,
    thoughts: Sequence[FitThought],
    batch_memory: float,
    progress: Progress,
) -> Activity:
    """Read all fit thoughts.

    Args:
        decoder: the model.
        thoughts: of the fit problems.
        batch_memory: memory for a batch in addition to the model, in GiB.
        progress: counts thoughts.
    """
    writing = Writing(decoder)
    activity = empty_activity(decoder, writing)
    widths = Widths.of(decoder)
    for batch, _ in in_batches(
        thoughts,
        partial(_read, decoder, writing, activity),
        length=lambda one: len(one.ids),
        name=lambda one: f"trace {one.name}",
        need=lambda batch: forward_bytes(widths, len(batch), len(batch[0].ids)),
        batch_memory=batch_memory,
    ):
        activity.tokens += sum(one.thought[1] - one.thought[0] for one in batch)
        activity.boundaries += sum(len(one.boundaries) for one in batch)
        activity.backtracks += sum(len(one.backtracks) for one in batch)
        progress.update(len(batch), sum(len(one.ids) for one in batch))
    return activity


@torch.inference_mode()
def _read(
    decoder: Decoder, writing: Writing, activity: Activity, batch: list[FitThought]
) -> None:
    """One forward pass; its sums are added to the activity when it is complete."""
    found: list[tuple[PartActivity, list[torch.Tensor]]] = []
    inside = torch.zeros(len(batch), len(batch[0].ids), dtype=torch.bool)
    for row, one in enumerate(batch):
        inside[row, slice(*one.thought)] = True
    arrived, turned = (
        tuple(zip(*cells, strict=True)) or ((), ())
        for cells in (
            [(row, k) for row, one in enumerate(batch) for k in getattr(one, name)]
            for name in ("boundaries", "backtracks")
        )
    )

    streams: list[tuple[int, torch.Tensor, torch.Tensor]] = []

    def resid(_: str, boundary: int, states: torch.Tensor) -> None:
        total = states[inside.to(states.device)].double().sum(0).cpu()
        here = states[list(arrived[0]), list(arrived[1])].double().sum(0).cpu()
        streams.append((boundary, total, here))

    def see(part: PartActivity, norms: Any, layer: int, states: torch.Tensor) -> None:
        sums = [
            states[inside.to(states.device)].double().sum(0),
            norms(layer, states[list(arrived[0]), list(arrived[1])]).double().sum(0),
            states[list(turned[0]), list(turned[1])].double().sum(0),
        ]
        found.append((part, [values.cpu() for values in sums]))

    def heads(layer: int, states: torch.Tensor) -> None:
        see(activity.heads[layer], writing.of_heads, layer, states)

    def units(layer: int, states: torch.Tensor) -> None:
        see(activity.units[layer], writing.of_units, layer, states)

    ids = padded([one.ids for one in batch]).to(decoder.device)
    stream = [("resid", boundary) for boundary in range(decoder.n_layers + 1)]
    with (
        hooked(decoder, resid, stream),
        projected(decoder, heads),
        _down_inputs(decoder, units, len(activity.units)),
    ):
        decoder.base(input_ids=ids, use_cache=False)
    for boundary, total, here in streams:
        activity.resid[boundary] += total
        activity.resid_at_boundaries[boundary] += here
    for part, (total, at_boundaries, at_backtracks) in found:
        part.total += total
        part.at_boundaries += at_boundaries
        part.at_backtracks += at_backtracks


@contextmanager
def _down_inputs(decoder: Decoder, see: Any, layers: int) -> Iterator[None]:
    """Call `see(layer, states)` on the inputs of the down-projections."""

    def before(layer: int) -> Any:
        return lambda _, inputs: see(layer, inputs[0])

    with registered(
        decoder.mlp_down(layer).register_forward_pre_hook(before(layer))
        for layer in range(layers)
    ):
        yield


def fit_thought(
    trace: dict[str, Any],
    span: tuple[int, int],
    boundaries: Sequence[Boundary],
    backtracks: Sequence[int],
) -> FitThought:
    """A thought of the fit problems.

    Args:
        trace: a row of `TRACES`.
        span: of the thought's tokens.
        boundaries: right after its arrivals.
        backtracks: positions of `TURNS`.
    """
    ids = trace["prompt_ids"] + trace["completion_ids"]
    places = tuple(one.position for one in boundaries)
    return FitThought(trace["trace"], ids, span, places, tuple(backtracks))
