"""What the model tells at a boundary before a word is drawn, from one forward pass.

The mass of the backtrack words is exact. Tokens of white space are left out, as `turns`
does: a model may choose a line break and the word after it in two steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import torch

from doubletake.model.batch_memory import Widths, forward_bytes
from doubletake.model.batches import in_batches, padded
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked
from doubletake.model.lens import Lens
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from resampling.boundaries import Boundary

NUCLEUS_BYTES = 64
"""Bytes per logit of `nucleus`: float64 probabilities, their order, sums."""


@dataclass(frozen=True)
class Words:
    """Tokens that are told apart."""

    turn: torch.Tensor
    """[token], the backtrack words."""
    white_space: torch.Tensor
    """[token], tokens of white space only."""


@dataclass(frozen=True)
class Signal:
    """What is read at one boundary."""

    mass: float
    """Probability of a backtrack word, at temperature 1."""
    sampled_mass: float | None
    """The same as the draws are decoded; None: only white space is left."""
    state: torch.Tensor | None
    """[d_model], float64: the residual stream at the boundary of the probe."""


def signals(
    decoder: Decoder,
    boundaries: Sequence[Boundary],
    words: Words,
    sampling: Sampling,
    layer: int | None,
    batch_memory: float,
    progress: Progress,
) -> list[Signal]:
    """The signals at the boundaries, in their order.

    Args:
        decoder: the model.
        boundaries: where to read.
        words: tokens that are told apart.
        sampling: how the draws are decoded.
        layer: boundary of the residual stream that is kept; None: none.
        batch_memory: memory for a batch in addition to the model, in GiB.
        progress: counts the boundaries.
    """
    found: dict[tuple[str, int], Signal] = {}
    for batch, read in in_batches(
        boundaries,
        lambda batch: _batch(decoder, batch, words, sampling, layer),
        length=lambda one: one.position + 1,
        name=lambda one: f"trace {one.thought.name}",
        need=partial(batch_bytes, decoder),
        batch_memory=batch_memory,
    ):
        found |= {one.name: signal for one, signal in zip(batch, read, strict=True)}
        progress.update(len(batch), sum(one.position + 1 for one in batch))
    return [found[one.name] for one in boundaries]


def batch_bytes(decoder: Decoder, batch: Sequence[Boundary]) -> float:
    """Peak memory of a batch in addition to the model, in bytes."""
    w = Widths.of(decoder)
    length = batch[0].position + 1
    logits = len(batch) * w.vocabulary * NUCLEUS_BYTES
    states = len(batch) * (length + 1) * w.d * w.size
    return max(forward_bytes(w, len(batch), length), states + logits)


@torch.inference_mode()
def _batch(
    decoder: Decoder,
    batch: Sequence[Boundary],
    words: Words,
    sampling: Sampling,
    layer: int | None,
) -> list[Signal]:
    """One forward pass of prefixes that are padded on the right."""
    ids = padded([one.prefix for one in batch]).to(decoder.device)
    rows = torch.arange(len(batch), device=decoder.device)
    last = torch.tensor([one.position for one in batch], device=decoder.device)
    kept: list[torch.Tensor] = []

    def keep(_: str, __: int, states: torch.Tensor) -> None:
        kept.append(states[rows, last].double().cpu())

    with hooked(decoder, keep, [] if layer is None else [("resid", layer)]):
        states = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    logits = Lens.of(decoder).model_logits(states[rows, last]).float()
    return _signals(logits, kept[0] if kept else None, words, sampling)


@torch.inference_mode()
def signal_alone(
    decoder: Decoder, boundary: Boundary, words: Words, sampling: Sampling
) -> Signal:
    """The signal of one boundary from a plain pass of the whole model."""
    ids = torch.tensor([boundary.prefix], device=decoder.device)
    logits = decoder.hf(input_ids=ids, use_cache=False).logits[:, -1].float()
    return _signals(logits, None, words, sampling)[0]


def _signals(
    logits: torch.Tensor, states: torch.Tensor | None, words: Words, sampling: Sampling
) -> list[Signal]:
    whole = word_mass(torch.softmax(logits.double(), -1), words).tolist()
    drawn = word_mass(nucleus(logits, sampling), words).tolist()
    return [
        Signal(mass, None if isnan(cut) else cut, None if states is None else states[k])
        for k, (mass, cut) in enumerate(zip(whole, drawn, strict=True))
    ]


def word_mass(mass: torch.Tensor, words: Words) -> torch.Tensor:
    """Mass of the backtrack words as a share of all but white space: [row].

    NaN where there is only white space.

    Args:
        mass: [row, vocabulary], float64.
        words: tokens that are told apart.
    """
    turn, white = (
        mass[:, ids.to(mass.device)].sum(-1) for ids in (words.turn, words.white_space)
    )
    other = mass.sum(-1) - white
    # Rounding may leave a tiny rest where all mass is white space.
    return torch.where(other > 1e-12, turn / other, torch.nan)


def nucleus(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Probabilities with which a token is drawn: [row, vocabulary], float64.

    The smallest set of tokens that holds `top_p` of the mass at the temperature
    (Holtzman et al. 2020), scaled to 1; the most likely token at temperature 0.

    Args:
        logits: [row, vocabulary].
        sampling: how tokens are drawn.
    """
    if sampling.temperature == 0:
        best = logits.argmax(-1, keepdim=True)
        return torch.zeros_like(logits, dtype=torch.float64).scatter(-1, best, 1.0)
    mass = torch.softmax(logits.double() / sampling.temperature, -1)
    ranked, tokens = torch.sort(mass, dim=-1, descending=True, stable=True)
    before = ranked.cumsum(-1) - ranked
    kept = torch.zeros_like(mass).scatter(
        -1, tokens, ranked * (before < sampling.top_p)
    )
    return kept / kept.sum(-1, keepdim=True)
