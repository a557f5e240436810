"""MLP value vectors: what each hidden unit of an MLP writes, and how much.

The output of an MLP is a sum over its hidden units: activation times the unit's column
of the down-projection, its value vector (Geva et al. 2021, "Transformer feed-forward
layers are key-value memories"). Where a model norms the MLP's output before adding it,
the norm's gain belongs to what is written; its scale is one positive number per
position, the same for all units.
"""

from typing import TYPE_CHECKING

import torch

from doubletake.lens import Lens

if TYPE_CHECKING:
    from doubletake.models import Decoder

ROWS = 1024  # states that go through an MLP at once
TOKENS = 16384  # rows of the unembedding in float32 at once


def value_vectors(decoder: "Decoder", layer: int) -> torch.Tensor:
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
    decoder: "Decoder", layer: int, resid: torch.Tensor, attn_out: torch.Tensor
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
    handle = decoder.mlp_down(layer).register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].float().cpu())
    )
    try:
        for before, added in zip(resid.split(ROWS), attn_out.split(ROWS), strict=True):
            state = before.to(decoder.device) + added.to(decoder.device)
            decoder.mlp(layer)(decoder.mlp_norm(layer)(state))
    finally:
        handle.remove()
    units = decoder.mlp_down(layer).in_features
    return torch.cat([torch.zeros(0, units), *seen])


def token_logits(lens: Lens, vectors: torch.Tensor) -> torch.Tensor:
    """Logits that vectors write: [vector, d_model] to [vector, vocabulary], float32.

    `W_U (norm_gain * vector)`: the final norm's gain folded in, its scale, one positive
    number per position, and any cap left aside.
    """
    with torch.inference_mode():
        folded = lens.norm_gain * vectors.to(lens.norm_gain.device)
        parts = [
            folded @ rows.float().T for rows in lens.W_U.split(TOKENS)
        ]
        return torch.cat(parts, dim=-1)


def cosines(vectors: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Cosine of each vector with a direction; 0 for a vector of no length.

    Args:
        vectors: [vector, d_model].
        direction: [d_model], any norm.
    """
    unit = direction / direction.norm()
    return (vectors @ unit) / vectors.norm(dim=-1).clamp_min(1e-30)
