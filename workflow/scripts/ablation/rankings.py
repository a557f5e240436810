"""Which units and heads stand first: by direction, activity, writing or looking.

All rankings come from the fit problems alone.
"""

from collections.abc import Collection

import numpy as np
import polars as pl
import torch

from ablation.activity import Activity
from ablation.gradients import Parts
from ablation.targets import (
    ALIGNED,
    LEADING,
    LOOKING,
    SUPPORTING_HEADS,
    SUPPORTING_UNITS,
    WRITING,
)
from doubletake.model.decoder import Decoder
from doubletake.model.value_vectors import cosines, value_vectors

Member = tuple[int, int]
"""Layer, and number of the unit or head within it."""

ATTENTION_COLUMNS = {WRITING: "dla_backtrack", LOOKING: "arrival_sentence"}
"""What ranks heads: their direct logit attribution to the backtrack words, and their
attention to the sentence of the last arrival."""


def ranked_units(
    decoder: Decoder, probe: torch.Tensor, activity: Activity
) -> dict[str, list[Member]]:
    """Units of all layers by how they write toward turning back, the first first.

    `ALIGNED`: by the cosine of the value vector with the probe's direction at the
    boundary after the layer. `LEADING`: by what the unit writes along this direction at
    backtracks, mean activation times norm times cosine. Units that write the other way
    are left out.

    Args:
        decoder: the model.
        probe: [n_layers + 1, d_model], unit vectors toward turning back.
        activity: of the fit problems.
    """
    scores: dict[str, list[np.ndarray]] = {ALIGNED: [], LEADING: []}
    for layer in range(len(activity.units)):
        vectors = value_vectors(decoder, layer)
        direction = probe[layer + 1].to(vectors)
        if not direction.any():
            cosine = torch.zeros(len(vectors))
        else:
            cosine = cosines(vectors, direction).cpu()
        written = activity.at_backtracks(layer) * vectors.norm(dim=-1).cpu() * cosine
        scores[ALIGNED].append(cosine.double().numpy())
        scores[LEADING].append(written.double().numpy())
    return {target: ranked(values) for target, values in scores.items()}


def ranked_heads(
    attention: pl.DataFrame, problems: Collection[str]
) -> dict[str, list[Member]]:
    """Heads of all layers by `ATTENTION_COLUMNS` at backtracks, the largest mean first.

    Args:
        attention: `ATTENTION`.
        problems: the fit problems; rows of others are not read.
    """
    rows = attention.filter(pl.col("problem").is_in(list(problems)), kind="backtrack")
    found = {}
    for target, column in ATTENTION_COLUMNS.items():
        means = []
        known = rows.drop_nulls(column).sort("layer")
        for _, part in known.group_by("layer", maintain_order=True):
            means.append(np.stack(part[column].to_list()).mean(0))
        found[target] = ranked(means)
    return found


def ranked(scores: list[np.ndarray]) -> list[Member]:
    """Members with a positive score, the largest first.

    Args:
        scores: of every layer, [unit or head].
    """
    members = [
        (-float(score), layer, number)
        for layer, values in enumerate(scores)
        for number, score in enumerate(values)
        if score > 0
    ]
    return [(layer, number) for _, layer, number in sorted(members)]


def ranked_support(support: Parts) -> dict[str, list[Member]]:
    """Units and heads of all layers by what the log-odds of turning back owe to them.

    Args:
        support: of `mean_support`, on fit problems.
    """
    found = {}
    for target, part in ((SUPPORTING_UNITS, "units"), (SUPPORTING_HEADS, "heads")):
        layers = sorted(layer for name, layer in support if name == part)
        found[target] = ranked([support[part, layer].numpy() for layer in layers])
    return found
