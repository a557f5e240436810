"""MLP value vectors: what each hidden unit of an MLP writes, and how much.

The output of an MLP is a sum over its hidden units: activation times the unit's column
of the down-projection, its value vector (Geva et al. 2021, "Transformer feed-forward
layers are key-value memories"). Where a model norms the MLP's output before adding it,
the norm's gain belongs to what is written; its scale is one positive number per
position, the same for all units.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import registered
from doubletake.model.lens import Lens

ENDS = ("for", "against")
NEAREST = 16  # units of like writes from which a random one is drawn
LIKE = 2.0  # ratio of writes up to which they are alike
ROWS = 1024  # states that go through an MLP at once
TOKENS = 16384  # rows of the unembedding in float32 at once


@dataclass
class LayerUnits:
    """A layer's units, what they write and where they are active."""

    layer: int
    norms: torch.Tensor
    """[unit]."""
    cosine: torch.Tensor
    """[unit]."""
    acts: torch.Tensor
    """[turn, unit], at the selected turns."""
    top: dict[str, list[int]]
    """Units by end, most extreme first."""


def value_vectors(decoder: Decoder, layer: int) -> torch.Tensor:
    """What the units of a layer's MLP add to `resid[layer + 1]`, up to a scale.

    Returns:
        [unit, d_model], float32, on the model's device: columns of the down-projection,
        times the gain of the norm behind it where there is one.
    """
    columns = decoder.mlp_down(layer).weight.float().T
    if decoder.layout.mlp_write == decoder.layout.mlp:
        return columns
    gain = decoder.mlp_write(layer).get_parameter("weight").float()
    return columns * (gain + decoder.layout.norm_offset)


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
        [row, unit], float32, on the CPU: what the down-projection reads.
    """
    seen: list[torch.Tensor] = []
    down = decoder.mlp_down(layer)
    keep = down.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].float().cpu())
    )
    with registered([keep]):
        for before, added in zip(resid.split(ROWS), attn_out.split(ROWS), strict=True):
            state = before.to(decoder.device) + added.to(decoder.device)
            decoder.mlp(layer)(decoder.mlp_norm(layer)(state))
    return torch.cat([torch.zeros(0, down.in_features), *seen])


def token_logits(lens: Lens, vectors: torch.Tensor) -> torch.Tensor:
    """Logits that vectors write: [vector, d_model] to [vector, vocabulary], float32.

    `W_U (norm_gain * vector)`: the final norm's gain folded in, its scale, one positive
    number per position, and any cap left aside.
    """
    with torch.inference_mode():
        folded = lens.norm_gain * vectors.to(lens.norm_gain.device)
        parts = [folded @ rows.float().T for rows in lens.W_U.split(TOKENS)]
        return torch.cat(parts, dim=-1)


def cosines(vectors: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Cosine of each vector with a direction; 0 for a vector of no length.

    Args:
        vectors: [vector, d_model].
        direction: [d_model], any norm.
    """
    unit = direction / direction.norm()
    return (vectors @ unit) / vectors.norm(dim=-1).clamp_min(1e-30)


def extreme_units(cosine: torch.Tensor, count: int) -> dict[str, list[int]]:
    """Units of largest and of smallest cosine, most extreme first."""
    count = min(count, len(cosine))
    return {
        "for": cosine.topk(count).indices.tolist(),
        "against": cosine.topk(count, largest=False).indices.tolist(),
    }


def like_units(
    writes: torch.Tensor, units: Sequence[int], draw: random.Random
) -> list[int]:
    """Random units, one for each of these, of like writes; none twice, none of these.

    Each is drawn from the `NEAREST` free units whose writes are at most `LIKE` times as
    large or small; where there is none it is the free unit nearest in ratio.

    Args:
        writes: [unit], |activation| times norm of the value vector.
        units: to be matched.
        draw: source of the draws.
    """
    sizes = writes.double().clamp_min(1e-30).log().tolist()
    order = writes.argsort().tolist()
    place = {unit: k for k, unit in enumerate(order)}
    taken = set(units)
    chosen = []
    for unit in units:
        reach = NEAREST  # not all units are sorted anew for each
        free: list[int] = []
        while len(free) < NEAREST and reach < 4 * (len(order) + NEAREST):
            low, high = max(0, place[unit] - reach), place[unit] + reach + 1
            free = [k for k in order[low:high] if k not in taken]
            reach *= 2
        near = sorted(free, key=lambda k: abs(sizes[k] - sizes[unit]))[:NEAREST]
        like = [k for k in near if abs(sizes[k] - sizes[unit]) <= math.log(LIKE)]
        if near:
            chosen.append(draw.choice(like or near[:1]))
            taken.add(chosen[-1])
    return chosen


def layer_units(
    decoder: Decoder,
    layer: int,
    direction: np.ndarray,
    cache: ActivationCache,
    turns: pl.DataFrame,
    count: int,
) -> tuple[LayerUnits, torch.Tensor]:
    """A layer's units and their value vectors, [unit, d_model]."""
    vectors = value_vectors(decoder, layer)
    cosine = cosines(vectors, torch.from_numpy(direction).to(vectors)).cpu()
    states = (cache.read(name, turns, layer=layer) for name in ("resid", "attn_out"))
    acts = activations(decoder, layer, *states)
    norms = vectors.norm(dim=-1).cpu()
    top = extreme_units(cosine, count)
    return LayerUnits(layer, norms, cosine, acts, top), vectors
