"""Draws random units whose |activation| times norm is close to that of given units."""

import math
import random
from collections.abc import Sequence

import torch

# ASSUME: units of similar size at a position are a fair comparison; chosen by hand.
NEAREST_UNITS = 16  # free units nearest in write size, from which one is drawn
LARGEST_RATIO = 2.0  # largest ratio of two write sizes that count as similar


def matched_random_units(
    write_sizes: torch.Tensor, units: Sequence[int], draw: random.Random
) -> list[int]:
    """For each given unit a random other unit of similar |activation| times norm.

    No unit is drawn twice, and none of the given units is drawn. A unit is drawn from
    the `NEAREST_UNITS` free units whose write sizes differ by at most a factor of
    `LARGEST_RATIO`. If no free unit is that close, the nearest free unit in ratio is
    taken. If no unit is free, nothing is drawn.

    Args:
        write_sizes: [unit], |activation| times norm of the value vector.
        units: the units to be matched.
        draw: source of the draws.
    """
    log_sizes = write_sizes.double().clamp_min(1e-30).log().tolist()
    order = write_sizes.argsort().tolist()
    rank = {unit: k for k, unit in enumerate(order)}
    taken = set(units)
    chosen = []
    for unit in units:
        reach = NEAREST_UNITS  # a window of ranks, so that not all units are sorted
        free: list[int] = []
        while len(free) < NEAREST_UNITS and reach < 4 * (len(order) + NEAREST_UNITS):
            low, high = max(0, rank[unit] - reach), rank[unit] + reach + 1
            free = [k for k in order[low:high] if k not in taken]
            reach *= 2
        near = sorted(free, key=lambda k: abs(log_sizes[k] - log_sizes[unit]))
        near = near[:NEAREST_UNITS]
        alike = [
            k
            for k in near
            if abs(log_sizes[k] - log_sizes[unit]) <= math.log(LARGEST_RATIO)
        ]
        if near:
            chosen.append(draw.choice(alike or near[:1]))
            taken.add(chosen[-1])
    return chosen
