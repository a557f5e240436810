"""Sums of residual states over the positions of all classes, in float64.

States are never kept. A thought's sums are one matrix product of weights and states,
and thoughts are added in one order, the longest first. So a smaller batch changes the
sums only by what it changes in the states.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from doubletake.model.batch_memory import FLOAT32, Widths, forward_bytes
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked
from doubletake.model.loading import refuse_bad_weights
from doubletake.running.errors import InputError

ALL = ("all", 0, True)
"""The class of all thought tokens."""
ClassKey = tuple[str, int, bool]
"""Recipe, draw (0: true labels), and whether it is the first class."""


@dataclass(frozen=True)
class ThoughtInput:
    """One thought, as the forward pass reads it."""

    trace: str
    ids: list[int]
    """Tokens of the prompt and of the thought. What follows is not read."""
    start: int
    """First token of the thought."""
    members: torch.Tensor
    """[n, 2]: number of a class and token of the thought, from 0; they may repeat."""
    sampled: list[int]
    """Positions whose states are kept for the principal components."""

    def weights(self, classes: int) -> torch.Tensor:
        """[class, thought token], float64: how often a class holds a token.

        The first class holds all of them.
        """
        shape = classes, len(self.ids) - self.start
        weights = torch.zeros(shape, dtype=torch.float64)
        weights[0] = 1
        one = torch.ones(len(self.members), dtype=torch.float64)
        return weights.index_put_(self.members.unbind(1), one, accumulate=True)


@dataclass
class Sums:
    """What the forward passes leave; tensors on the CPU."""

    classes: torch.Tensor
    """[boundary, class, d_model], float64."""
    norms: torch.Tensor
    """[boundary], float64, sum of the norms of all thought tokens."""
    sampled: list[torch.Tensor] = field(default_factory=list)
    """[position, boundary, d_model], float32, by thought."""

    @classmethod
    def zero(cls, decoder: Decoder, classes: int) -> "Sums":
        """Nothing yet."""
        boundaries = decoder.n_layers + 1
        shape = boundaries, classes, decoder.d_model
        return cls(
            torch.zeros(shape, dtype=torch.float64),
            torch.zeros(boundaries, dtype=torch.float64),
        )

    def states(self) -> torch.Tensor:
        """All sampled states, [position, boundary, d_model]."""
        boundaries, _, width = self.classes.shape
        return torch.cat([torch.zeros(0, boundaries, width), *self.sampled])

    def add(self, other: "Sums") -> None:
        """Add the sums of a thought."""
        self.classes += other.classes
        self.norms += other.norms
        self.sampled += other.sampled


def batch_bytes(decoder: Decoder, classes: int, batch: Sequence[ThoughtInput]) -> float:
    """Peak memory of `batch_sums` in addition to the model, in bytes."""
    widths, length = Widths.of(decoder), len(batch[0].ids)
    boundaries = decoder.n_layers + 1
    sums = len(batch) * boundaries * classes * widths.d * 2 * FLOAT32
    sampled = sum(len(item.sampled) for item in batch) * boundaries * widths.d
    one = length * (classes + 2 * widths.d) * 2 * FLOAT32
    return forward_bytes(widths, len(batch), length) + sums + FLOAT32 * sampled + one


@torch.inference_mode()
def batch_sums(
    decoder: Decoder, count: int, batch: Sequence[ThoughtInput]
) -> list[Sums]:
    """Run one forward pass, and sum the states of each thought.

    Args:
        decoder: the model.
        count: number of classes.
        batch: thoughts, the longest first.

    Returns:
        The sums of each thought.

    Raises:
        InputError: a state is not finite. The message names the thought.
    """
    device = decoder.device
    ids = padded([item.ids for item in batch]).to(device)
    weights = [item.weights(count).to(device) for item in batch]
    shape = decoder.n_layers + 1, count, decoder.d_model
    classes = [torch.empty(shape, dtype=torch.float64, device=device) for _ in batch]
    norms = [torch.empty(shape[0], dtype=torch.float64, device=device) for _ in batch]
    sampled = [
        torch.empty(len(item.sampled), shape[0], shape[2], device=device)
        for item in batch
    ]

    def see(_: str, boundary: int, states: torch.Tensor) -> None:
        for k, item in enumerate(batch):
            own = states[k, item.start : len(item.ids)].double()
            classes[k][boundary] = weights[k] @ own
            norms[k][boundary] = own.norm(dim=-1).sum()
            sampled[k][:, boundary] = states[k, item.sampled].float()

    places = [("resid", boundary) for boundary in range(shape[0])]
    with hooked(decoder, see, places):
        decoder.base(input_ids=ids, use_cache=False)
    found = [
        Sums(sums.cpu(), lengths.cpu(), [kept.cpu()])
        for sums, lengths, kept in zip(classes, norms, sampled, strict=True)
    ]
    for item, sums in zip(batch, found, strict=True):
        if not sums.norms.isfinite().all():
            refuse_bad_weights(decoder)
            raise InputError(
                f"trace {item.trace}: the model's states are not finite in "
                f"{str(decoder.dtype).removeprefix('torch.')}"
            )
    return found


@torch.inference_mode()
def plain_sums(decoder: Decoder, count: int, item: ThoughtInput) -> torch.Tensor:
    """The class sums of a thought that runs alone: [boundary, class, d_model], float64.

    The states of each class are looked up and added, without weights.
    """
    ids = torch.tensor([item.ids], device=decoder.device)
    sums = Sums.zero(decoder, count).classes
    classes, tokens = item.members.unbind(1)

    def see(_: str, boundary: int, states: torch.Tensor) -> None:
        own = states[0, item.start :].double().cpu()
        sums[boundary, 0] = own.sum(0)
        for number in classes.unique().tolist():
            sums[boundary, number] = own[tokens[classes == number]].sum(0)

    with hooked(decoder, see, [("resid", k) for k in range(decoder.n_layers + 1)]):
        decoder.base(input_ids=ids, use_cache=False)
    return sums
