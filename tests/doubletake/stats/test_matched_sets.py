"""Random sets write as much as a given set, and the given set is one of them."""

import numpy as np

from doubletake.stats.matched_sets import (
    LARGEST_RATIO,
    UNITS_PER_BIN,
    matched_random_sets,
    replaceable,
    write_size_bins,
)

SIZES = np.random.default_rng(0).lognormal(sigma=1.5, size=400)


def draws(sizes, units, count, seed=0):
    return matched_random_sets(sizes, units, count, np.random.default_rng(seed))


def test_bins_hold_every_unit_once_and_only_like_units():
    bins = write_size_bins(SIZES)
    assert sorted(np.concatenate(bins)) == list(range(400))
    for members in bins:
        assert len(members) <= UNITS_PER_BIN
        assert SIZES[members].max() <= LARGEST_RATIO * SIZES[members].min()


def test_random_sets_hold_as_many_units_of_every_bin():
    units = [3, 50, 51, 200, 399]
    sets = draws(SIZES, units, 50)
    assert sets.shape == (50, 5)
    bins = write_size_bins(SIZES)
    for members in bins:
        held = np.isin(sets, members).sum(1)
        assert (held == np.isin(units, members).sum()).all()
    assert all(len(set(row)) == 5 for row in sets.tolist())
    ratio = SIZES[sets].sum(1) / SIZES[units].sum()
    assert ((ratio > 0.5) & (ratio < 2)).all()


def test_every_unit_of_a_bin_is_drawn_equally_often_the_given_one_too():
    (members,) = (part for part in write_size_bins(SIZES) if 200 in part)
    sets = draws(SIZES, [200], 8000)
    shares = np.bincount(sets[:, 0], minlength=400)[members] / 8000
    assert np.abs(shares - 1 / len(members)).max() < 0.02


def test_a_unit_like_no_other_is_in_every_set():
    sizes = np.append(np.linspace(1, 1.9, 30), 1000.0)
    sets = draws(sizes, [30, 5], 40)
    assert (sets[:, 1] == 30).all()
    assert replaceable(sizes, [30, 5]) == 1
    assert replaceable(sizes, [30]) == 0


def test_sets_depend_on_the_seed_alone():
    assert (draws(SIZES, [3, 4], 9, seed=1) == draws(SIZES, [4, 3], 9, seed=1)).all()
    assert (draws(SIZES, [3, 4], 9, seed=1) != draws(SIZES, [3, 4], 9, seed=2)).any()
