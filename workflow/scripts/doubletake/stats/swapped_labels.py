"""Shuffled labels of matched pairs: each pair keeps its labels or swaps them.

The members of a pair stand alike. If the classes do not differ beyond that, either
member could have been the first, so swapped labels are as likely as the true ones
(Rosenbaum 2002, "Observational Studies", chapter 2). Labels permuted over all cases
would split the pairs. What the members of a pair share would then count as a difference
of the classes, although it cancels within true pairs.
"""

import numpy as np


def swapped_labels(
    labels: np.ndarray, pairs: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Labels of which each pair is swapped with probability 1/2: [shuffle, case].

    Args:
        labels: [case], bool.
        pairs: [case], number of the case's pair.
        count: number of shuffles.
        rng: source of the draws.
    """
    # ASSUME: pairs are independent, also those with a common problem.
    names, index = np.unique(pairs, return_inverse=True)
    swaps = rng.integers(2, size=(count, len(names)), dtype=bool)
    return labels ^ swaps[:, index]
