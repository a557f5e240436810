"""Labels swapped within pairs: every swap is as likely as any other."""

import numpy as np

from doubletake.stats.swapped_labels import swapped_labels


def test_each_pair_is_swapped_alone_half_of_the_time():
    labels = np.array([True, False, False, True, True, False])
    pairs = np.array([4, 9, 4, 9, 7, 7])
    rows = swapped_labels(labels, pairs, 4000, np.random.default_rng(0))
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    assert len(kinds) == 2**3
    assert counts.min() > 400  # 500 expected, standard error 21
    for pair in (4, 7, 9):
        first, second = rows[:, pairs == pair].T
        assert (first != second).all()
