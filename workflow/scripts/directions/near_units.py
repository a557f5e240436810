"""The hidden units whose value vectors lie nearest to the refit probe."""

from typing import Any

import numpy as np
import torch

from directions.tables import DIRECTION_UNITS
from doubletake.model.decoder import Decoder
from doubletake.model.value_vectors import SIDE_SIGNS, cosines, value_vectors

NEIGHBOURS = 1
"""Layers on each side of the layer that writes to the best boundary."""


def why_no_units(decoder: Decoder) -> str | None:
    """Why a model has no value vectors; None if it has."""
    if decoder.layout.mlp_down is None:
        return (
            f"no value vectors: {decoder.config.model_type} is a mixture of experts, "
            "whose MLPs have no single down-projection"
        )
    return None


@torch.inference_mode()
def near_units(
    decoder: Decoder, vectors: np.ndarray, best: int, count: int
) -> list[dict[str, Any]]:
    """Rows of `directions/units`: the units of largest cosine on either side.

    Args:
        decoder: the model, not a mixture of experts.
        vectors: [boundary, d_model], the probe's unit vectors.
        best: boundary at which the probe is best; its layer and the layers beside it
            are searched.
        count: units on each side.
    """
    written = range(best - NEIGHBOURS, best + NEIGHBOURS + 1)
    layers = [k - 1 for k in written if 0 < k <= decoder.n_layers]
    found: list[tuple[float, int, int, float]] = []
    for layer in layers:
        units = value_vectors(decoder, layer)
        direction = torch.from_numpy(vectors[layer + 1]).to(units)
        if not direction.any():
            continue
        near = cosines(units, direction)
        for sign in SIDE_SIGNS.values():
            top = (sign * near).topk(min(count, len(near))).indices
            norms = units[top].norm(dim=-1)
            found += [
                (float(near[k]), layer, int(k), float(norm))
                for k, norm in zip(top, norms, strict=True)
            ]
    rows = []
    for side, sign in SIDE_SIGNS.items():
        own = {item for item in found if sign * item[0] > 0}
        ranked = sorted(own, key=lambda item: (-sign * item[0], item[1:]))[:count]
        for rank, (cosine, layer, unit, norm) in enumerate(ranked, 1):
            cells = (side, rank, layer, unit, cosine, norm)
            rows.append(dict(zip(DIRECTION_UNITS.schema, cells, strict=True)))
    return rows
