"""Hidden units of an MLP: what each unit writes (its value vector), and how much.

`doubletake.model.value_vectors` says what a value vector is.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.lens import Lens
from doubletake.model.value_vectors import cosines, value_vectors

STATES_AT_ONCE = 1024  # states that go through an MLP at once
VOCABULARY_ROWS_AT_ONCE = 16384  # rows of the unembedding in float32 at once


@dataclass
class LayerUnits:
    """The units of a layer: norm and cosine of their value vectors, activations."""

    layer: int
    norms: torch.Tensor
    """[unit]."""
    cosine: torch.Tensor
    """[unit]."""
    at_backtracks: torch.Tensor
    """[backtrack, unit], activations at the selected backtracks."""
    at_cases: torch.Tensor
    """[case, unit], activations at the members of the pairs."""
    extreme: dict[str, list[int]]
    """Units of extreme cosine by side, most extreme first."""


@torch.inference_mode()
def activations(
    decoder: Decoder, layer: int, resid: torch.Tensor, attn_out: torch.Tensor
) -> torch.Tensor:
    """Activations of a layer's hidden units, from the cache: only its MLP runs.

    Args:
        decoder: the model.
        layer: 0 ... n_layers - 1.
        resid: [row, d_model], the layer's input.
        attn_out: [row, d_model], what its attention added.

    Returns:
        [row, unit], float32, on the CPU: the input of the down-projection.
    """
    inputs_seen: list[torch.Tensor] = []
    down = decoder.mlp_down(layer)
    hook = down.register_forward_pre_hook(
        lambda _, inputs: inputs_seen.append(inputs[0].float().cpu())
    )
    parts = zip(
        resid.split(STATES_AT_ONCE), attn_out.split(STATES_AT_ONCE), strict=True
    )
    with registered([hook]):
        for before, added in parts:
            state = before.to(decoder.device) + added.to(decoder.device)
            decoder.mlp(layer)(decoder.mlp_norm(layer)(state))
    return torch.cat([torch.zeros(0, down.in_features), *inputs_seen])


def token_logits(lens: Lens, vectors: torch.Tensor) -> torch.Tensor:
    """Logits that vectors write: [vector, d_model] to [vector, vocabulary], float32.

    `W_U (norm_gain * vector)`: the gain of the final norm is folded in. Its scale, one
    positive number per position, and a cap of the logits are left out.
    """
    # ASSUME: what a vector writes acts on the logits directly, not by later layers.
    with torch.inference_mode():
        folded = lens.norm_gain * vectors.to(lens.norm_gain.device)
        parts = [
            folded @ rows.float().T for rows in lens.W_U.split(VOCABULARY_ROWS_AT_ONCE)
        ]
        return torch.cat(parts, dim=-1)


def extreme_units(cosine: torch.Tensor, count: int) -> dict[str, list[int]]:
    """Units of largest and of smallest cosine by side, most extreme first."""
    count = min(count, len(cosine))
    return {
        "for": cosine.topk(count).indices.tolist(),
        "against": cosine.topk(count, largest=False).indices.tolist(),
    }


def layer_units(
    decoder: Decoder,
    layer: int,
    direction: np.ndarray,
    cache: ActivationCache,
    backtracks: pl.DataFrame,
    cases: pl.DataFrame,
    count: int,
) -> tuple[LayerUnits, torch.Tensor]:
    """The units of a layer, and their value vectors, [unit, d_model].

    Args:
        decoder: the model.
        layer: 0 ... n_layers - 1.
        direction: [d_model], of the probe at the boundary that the MLP writes to.
        cache: activation cache of the study.
        backtracks: the selected backtracks.
        cases: members of the pairs of the contrast.
        count: units of extreme cosine on each side.
    """
    vectors = value_vectors(decoder, layer)
    cosine = cosines(vectors, torch.from_numpy(direction).to(vectors)).cpu()

    def at(events: pl.DataFrame) -> torch.Tensor:
        states = (cache.read(part, events, layer) for part in ("resid", "attn_out"))
        return activations(decoder, layer, *states)

    units = LayerUnits(
        layer=layer,
        norms=vectors.norm(dim=-1).cpu(),
        cosine=cosine,
        at_backtracks=at(backtracks),
        at_cases=at(cases),
        extreme=extreme_units(cosine, count),
    )
    return units, vectors
