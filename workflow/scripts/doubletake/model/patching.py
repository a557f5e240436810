"""Exact patching: replace states of a forward pass and run the model again.

A replacement changes neither the layers before it nor the tokens before it. So one
clean pass is kept, and a patched pass starts at the layer and at the first token of the
replacement (`changed_pass`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import torch

from doubletake.model.batch_memory import (
    FLOAT32,
    Widths,
    backward_bytes,
    cache_bytes,
    forward_bytes,
    reading_bytes,
    token_multiplications,
)
from doubletake.model.batches import in_batches, run_alone
from doubletake.model.changed_pass import CleanPass, changed_pass, clean_pass
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import Change as StateChange
from doubletake.model.hooks import Place, replaced
from doubletake.model.turn_metric import BLOCK, Decision, Metric, final_states

LENGTH_RATIO = 1.1  # a pass may be this much longer than a cell needs
# ASSUME: a pass takes half a millisecond per layer beside its products, of which a core
# computes 2e10 in a second. Only the speed depends on it.
PASS_COST = 1e7  # multiplications per layer


class Cell(NamedTuple):
    """One state of a forward pass."""

    component: str
    """`resid`, `attn_out` or `mlp_out`."""
    layer: int
    """0, 1, ..."""
    token: int
    """Index in the sequence."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """The one token."""
        return (self.token,)

    @property
    def step(self) -> float:
        """A cell is set to its mean."""
        return 1.0


@dataclass(frozen=True)
class Patch:
    """States of several tokens at one boundary, moved toward their mean together."""

    layer: int
    """The residual stream before this layer."""
    tokens: tuple[int, ...]
    """Indices in the sequence, in ascending order."""
    step: float = 1.0
    """How far the states move; 1: they are set to the mean."""

    @property
    def component(self) -> str:
        """The residual stream."""
        return "resid"

    @property
    def token(self) -> int:
        """The first token: what lies before it does not change."""
        return self.tokens[0]


Change = TypeVar("Change", Cell, Patch)


def cost_of(cell: Cell | Patch, tokens: int, n_layers: int) -> int:
    """Cost of patching a cell: the tokens times layers that the model computes.

    Args:
        cell: the cell that is patched.
        tokens: number of tokens of the sequence.
        n_layers: number of layers of the model.
    """
    return (tokens - cell.token) * (n_layers - cell.layer)


def exact_changes(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cells: Sequence[Change],
    batch_memory: float,
) -> tuple[list[float], float]:
    """Exact change of a position's metric when each cell or patch alone is applied.

    Those of one layer at nearby tokens go through the model in one batch.

    Args:
        decoder: the model.
        metric: the metric that is measured.
        means: by component: [layer, d_model].
        decision: the position whose metric is measured.
        cells: the cells or patches, each applied alone.
        batch_memory: memory for a batch in addition to the model, in GiB.

    Returns:
        metric(patched) - metric(clean) of every cell, and metric(clean).
    """
    work = _Patching[Change](decoder, metric, means, decision)
    clean, kept = work.clean_pass(cells, batch_memory)
    with torch.inference_mode():
        (clean_value,) = metric(clean.last, [decision]).tolist()

    def need(batch: Sequence[Change]) -> float:
        return kept + patched_bytes(work.widths, len(decision.ids), batch)

    run = partial(work.values, clean)
    values = work.in_groups(cells, run, need, batch_memory)
    return [value - clean_value for value in values], clean_value


def slopes(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    patches: Sequence[Patch],
    batch_memory: float,
) -> list[float]:
    """How fast the metric changes with each patch's step, where the step is.

    At step 0 it is the gradient's estimate of the whole change. The mean over steps
    from 0 to 1 is the exact change (integrated gradients of one patch's own path).

    Args:
        decoder: the model; no parameter requires a gradient.
        metric: the metric that is measured.
        means: by component: [layer, d_model].
        decision: the position whose metric is measured.
        patches: each is applied alone.
        batch_memory: memory for a batch in addition to the model, in GiB.

    Returns:
        d metric / d step, one number per patch.
    """
    work = _Patching[Patch](decoder, metric, means, decision)
    clean, kept = work.clean_pass(patches, batch_memory)
    tokens, vocabulary = len(decision.ids), work.widths.vocabulary

    def need(batch: Sequence[Patch]) -> float:
        block = min(BLOCK, vocabulary) * 2 * len(batch) * FLOAT32
        return kept + backward_bytes(work.widths, len(batch), tokens, between=block)

    run = partial(work.slopes, clean)
    return work.in_groups(patches, run, need, batch_memory)


@torch.inference_mode()
def metric_by_full_pass(
    decoder: Decoder,
    metric: Metric,
    means: dict[str, torch.Tensor],
    decision: Decision,
    cell: Cell | Patch,
) -> float:
    """The metric with one cell or patch applied, by a pass that reuses no state."""
    ids = torch.tensor([decision.ids], device=decoder.device)
    change, places = _moving(means, [cell], 0, torch.tensor([cell.step]))
    with replaced(decoder, change, places):
        states = final_states(decoder, ids, [decision])
        return metric(states, [decision]).item()


def patched_bytes(widths: Widths, tokens: int, batch: Sequence[Cell | Patch]) -> float:
    """Peak memory of the patched pass of a batch, without the clean states, in bytes.

    Args:
        widths: of the model.
        tokens: tokens of the sequence.
        batch: cells or patches of one layer.
    """
    new = tokens - min(cell.token for cell in batch)
    return reading_bytes(widths, len(batch), new, tokens)


@dataclass(frozen=True)
class _Patching(Generic[Change]):
    """The passes of one position."""

    decoder: Decoder
    metric: Metric
    means: dict[str, torch.Tensor]
    decision: Decision

    @property
    def widths(self) -> Widths:
        return Widths.of(self.decoder)

    def clean_pass(
        self, cells: Sequence[Change], batch_memory: float
    ) -> tuple[CleanPass, float]:
        """The clean pass, and the bytes that it keeps."""
        layers, tokens = {cell.layer for cell in cells}, len(self.decision.ids)
        w = self.widths
        kept = cache_bytes(w, tokens) + tokens * len(layers) * w.d * w.size
        clean = run_alone(
            partial(clean_pass, self.decoder, self.decision.ids, layers),
            name=f"trace {self.decision.trace}",
            tokens=tokens,
            need=kept + forward_bytes(w, 1, tokens),
            batch_memory=batch_memory,
        )
        return clean, kept

    def in_groups(
        self,
        cells: Sequence[Change],
        run: Callable[[list[Change]], list[float]],
        need: Callable[[Sequence[Change]], float],
        batch_memory: float,
    ) -> list[float]:
        """A number for every cell or patch, batch by batch."""
        tokens, trace = len(self.decision.ids), self.decision.trace
        found: dict[Change, float] = {}
        multiplications = token_multiplications(self.decoder)
        pass_tokens = self.decoder.n_layers * PASS_COST / multiplications
        for group in _groups_of_similar_length(cells, tokens, pass_tokens):
            done = in_batches(
                group,
                run,
                length=lambda cell: tokens - cell.token,
                name=lambda cell: f"trace {trace}, {cell}",
                need=need,
                batch_memory=batch_memory,
            )
            for batch, values in done:
                found |= dict(zip(batch, values, strict=True))
        return [found[cell] for cell in cells]

    @torch.inference_mode()
    def values(self, clean: CleanPass, batch: list[Change]) -> list[float]:
        """The metric of each row, of one layer, computed from the first token on."""
        steps = torch.tensor([cell.step for cell in batch])
        return self._metric(clean, batch, steps).tolist()

    @torch.enable_grad()
    def slopes(self, clean: CleanPass, batch: list[Change]) -> list[float]:
        """The slope of each row's metric along its step."""
        steps = torch.tensor([cell.step for cell in batch], requires_grad=True)
        values = self._metric(clean, batch, steps)
        (gradient,) = torch.autograd.grad(values.sum(), steps)
        return gradient.tolist()

    def _metric(
        self, clean: CleanPass, batch: list[Change], steps: torch.Tensor
    ) -> torch.Tensor:
        start = min(cell.token for cell in batch)
        change, places = _moving(self.means, batch, start, steps)
        last = changed_pass(
            self.decoder, clean, batch[0].layer, start, len(batch), change, places
        )
        return self.metric(last, [self.decision] * len(batch))


def _groups_of_similar_length(
    cells: Sequence[Change], tokens: int, pass_tokens: float
) -> list[list[Change]]:
    """Groups of one layer whose passes have similar lengths, the longest first.

    A cell joins the group before it if its pass is not much shorter, or if the tokens
    that the group's length adds cost less than a pass of its own.

    Args:
        cells: cells or patches.
        tokens: tokens of the sequence.
        pass_tokens: what a pass costs beside its tokens, as a number of tokens.
    """
    groups: list[list[Change]] = []
    spent = 0.0  # tokens that were added to the last group
    for cell in sorted(cells, key=lambda cell: (cell.layer, cell.token)):
        if groups and groups[-1][0].layer == cell.layer:
            longest, own = tokens - groups[-1][0].token, tokens - cell.token
            added = 0 if longest <= LENGTH_RATIO * own else longest - own
            if spent + added <= pass_tokens:
                groups[-1].append(cell)
                spent += added
                continue
        groups.append([cell])
        spent = 0.0
    return groups


def _moving(
    means: dict[str, torch.Tensor],
    cells: Sequence[Cell | Patch],
    start: int,
    steps: torch.Tensor,
) -> tuple[StateChange, list[Place]]:
    """A change that moves the states of each row, and where it changes them.

    Args:
        means: by component: [layer, d_model].
        cells: one for each row.
        start: the first token that the rows hold.
        steps: how far the states of each row move.
    """
    targets: dict[Place, tuple[list[int], list[int]]] = {}
    for row, cell in enumerate(cells):
        rows, tokens = targets.setdefault((cell.component, cell.layer), ([], []))
        rows += [row] * len(cell.tokens)
        tokens += [token - start for token in cell.tokens]

    def change(name: str, layer: int, states: torch.Tensor) -> torch.Tensor:
        rows, tokens = targets[name, layer]
        mean = means[name][layer].to(states.device, torch.float32)
        here = states[rows, tokens].float()
        weights = steps.to(states.device)[rows][:, None]
        # `lerp` gives the mean itself at step 1.
        moved = torch.lerp(here, mean.expand_as(here), weights)
        states = states.clone()
        states[rows, tokens] = moved.to(states.dtype)
        return states

    return change, list(targets)
