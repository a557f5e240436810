"""Random units: they match the write sizes of the given units, and differ from them."""

import random

import torch

from value_vectors.random_units import matched_random_units


def test_random_units_are_new_units_that_write_as_much():
    writes = torch.linspace(0, 1, 400).square()
    units = [10, 200, 390]
    for seed in range(20):
        chosen = matched_random_units(writes, units, random.Random(seed))
        assert len(set(chosen) | set(units)) == 6
        for unit, other in zip(units, chosen, strict=True):
            assert abs(unit - other) <= 16


def test_a_unit_that_writes_far_more_is_not_drawn():
    writes = torch.cat([torch.linspace(1, 2, 30), torch.tensor([1000.0])])
    for seed in range(50):
        assert 30 not in matched_random_units(writes, [29, 28, 27], random.Random(seed))


def test_a_small_layer_gives_only_the_units_that_are_free():
    writes = torch.tensor([3.0, 1.0, 2.0, 5.0])
    assert sorted(matched_random_units(writes, [0, 1], random.Random(0))) == [2, 3]
    assert matched_random_units(writes, [0, 1, 2, 3], random.Random(0)) == []
