"""Value vectors: what each hidden unit of an MLP writes to the residual stream.

The output of an MLP is a sum over its hidden units: activation times the unit's column
of the down-projection (Geva et al. 2021, "Transformer feed-forward layers are key-value
memories"). Some models norm the MLP's output before they add it. There the norm's gain
belongs to what is written. The norm's scale is one positive number per position, the
same for all units.
"""

import torch

from doubletake.model.decoder import Decoder

SIDE_SIGNS = {"for": 1, "against": -1}
"""Sides, with the sign of their units' cosines."""


def value_vectors(decoder: Decoder, layer: int) -> torch.Tensor:
    """What the units of a layer's MLP add to `resid[layer + 1]`, up to a scale.

    Returns:
        [unit, d_model], float32, on the model's device: columns of the down-projection,
        times the gain of the norm that follows in models that have one.

    Raises:
        InputError: the model is a mixture of experts.
    """
    columns = decoder.mlp_down(layer).weight.float().T * decoder.write_multiplier
    if decoder.layout.mlp_write == decoder.layout.mlp:
        return columns
    # ASSUME: the scale of a norm that follows can be left out: all units share it.
    gain = decoder.mlp_write(layer).get_parameter("weight").float()
    return columns * (gain + decoder.layout.norm_offset)


def cosines(vectors: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Cosine of each vector with a direction; 0 for a vector of length 0.

    Args:
        vectors: [vector, d_model].
        direction: [d_model], any norm.
    """
    unit = direction / direction.norm()
    return (vectors @ unit) / vectors.norm(dim=-1).clamp_min(1e-30)
