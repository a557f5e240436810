"""Ablations as interventions: directions projected out, units and heads replaced."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch

from ablation.activity import Activity
from ablation.rankings import Member
from ablation.targets import MEAN
from doubletake.model.interventions import EVERY, Intervention


def projections(
    name: str,
    model: str,
    vectors: Mapping[int, torch.Tensor],
    activity: Activity,
    mode: str,
) -> tuple[Intervention, ...]:
    """A direction projected out at some boundaries, or set to its mean.

    Args:
        name: of the ablation.
        model: that the vectors belong to.
        vectors: [d_model] by boundary, unit vectors; a vector of zeros is left out.
        activity: of the fit problems.
        mode: `PROJECT` or `MEAN`: over the thoughts of the fit problems.
    """
    made = []
    for boundary, vector in sorted(vectors.items()):
        if vector.any():
            mean = (activity.mean_resid(boundary) @ vector) * vector
            added = mean if mode == MEAN else None
            made.append(
                Intervention(
                    name, boundary, "resid", EVERY, model, added=added, removed=vector
                )
            )
    return tuple(made)


def set_to(
    name: str,
    model: str,
    part: str,
    members: Sequence[Member],
    activity: Activity,
    mode: str,
) -> tuple[Intervention, ...]:
    """Units or heads set to 0, or to their mean over the thoughts of the fit problems.

    Args:
        name: of the ablation.
        model: that the means belong to.
        part: `units` or `heads`.
        members: layer and number of each.
        activity: of the fit problems.
        mode: `ZERO` or `MEAN`.
    """
    by_layer: dict[int, list[int]] = defaultdict(list)
    for layer, number in members:
        by_layer[layer].append(number)
    made = []
    for layer, numbers in sorted(by_layer.items()):
        count = len(activity.sizes(part, layer))
        factors = torch.ones(count)
        factors[numbers] = 0.0
        mean = activity.mean(part, layer)
        added = mean * (1 - factors).repeat_interleave(len(mean) // count)
        made.append(
            Intervention(
                name,
                layer,
                "heads" if part == "heads" else "units",
                EVERY,
                model,
                added=added if mode == MEAN else None,
                factors=factors,
            )
        )
    return tuple(made)
