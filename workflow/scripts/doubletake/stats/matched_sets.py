"""Random sets of units or heads that write as much as those of a given set.

The units of a layer, or the heads of a model, are put into bins of similar write size.
A random set holds as many units of every bin as the given set, drawn from the whole
bin, the given units included.
So if cosines had nothing to do with the effect of units of one bin, the given set would
be one more such draw, and its rank among the draws would be an exact p-value
(permutation within strata; Good 2005, "Permutation, Parametric and Bootstrap Tests of
Hypotheses").
"""

import math
from collections.abc import Sequence

import numpy as np

# ASSUME: units of similar write size are a fair comparison; chosen by hand.
UNITS_PER_BIN = 16
LARGEST_RATIO = 2.0  # largest ratio of two write sizes in a bin


def write_size_bins(write_sizes: np.ndarray) -> list[np.ndarray]:
    """Units in bins of similar write size, the largest first.

    A bin ends after `UNITS_PER_BIN` units, or before a unit that writes less than the
    bin's first unit by more than `LARGEST_RATIO`.

    Args:
        write_sizes: [unit], mean of |activation| times norm of the value vector.
    """
    order = np.argsort(-write_sizes, kind="stable")
    log_sizes = np.log(np.maximum(write_sizes[order], 1e-30))
    bins, start = [], 0
    for end in range(1, len(order) + 1):
        full = end - start == UNITS_PER_BIN
        ends_here = end == len(order) or full
        if ends_here or log_sizes[start] - log_sizes[end] > math.log(LARGEST_RATIO):
            bins.append(order[start:end])
            start = end
    return bins


def matched_random_sets(
    write_sizes: np.ndarray, units: Sequence[int], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Random sets with as many units of every bin as the given set.

    No set holds a unit twice. A given unit without another unit in its bin is in every
    set.

    Args:
        write_sizes: [unit], mean of |activation| times norm of the value vector.
        units: the given set, without repetition.
        count: number of sets.
        rng: source of the draws.

    Returns:
        [set, len(units)], units ascending.
    """
    drawn = []
    for members in write_size_bins(write_sizes):
        size = int(np.isin(members, units).sum())
        if size:
            places = rng.random((count, len(members))).argsort(axis=1)[:, :size]
            drawn.append(members[places])
    return np.sort(np.concatenate(drawn, axis=1), axis=1)


def replaceable(write_sizes: np.ndarray, units: Sequence[int]) -> int:
    """How many units of the given set have a bin with units outside of the set."""
    return sum(
        int(np.isin(members, units).sum())
        for members in write_size_bins(write_sizes)
        if not np.isin(members, units).all()
    )
