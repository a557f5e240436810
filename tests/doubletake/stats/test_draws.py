"""Draws depend only on seed and name, and never change."""

import hashlib
import random

import numpy as np
import pytest

from doubletake.stats.draws import (
    array_generator,
    generator,
    ranked_by_digest,
    ranked_by_generator,
    uniforms,
)

UNIFORMS = [0.8636399918316058, 0.35661990887706885]  # fixed values
NAMES = [(f"{k:05d}/0", k) for k in range(100)]


@pytest.mark.parametrize("ranked", [ranked_by_digest, ranked_by_generator])
def test_the_order_depends_only_on_seed_and_names(ranked):
    assert ranked(NAMES, 1) == ranked(NAMES[::-1], 1)
    assert ranked(NAMES, 1) != ranked(NAMES, 2)
    few = [name for name in ranked(NAMES, 1) if name in NAMES[:10]]
    assert ranked(NAMES[:10], 1) == few  # other names do not change the order


@pytest.mark.parametrize("ranked", [ranked_by_digest, ranked_by_generator])
def test_every_name_comes_first_about_as_often(ranked):
    first = [ranked(NAMES[:4], seed)[0] for seed in range(400)]
    for name in NAMES[:4]:
        assert 70 <= first.count(name) <= 130  # 100 expected, three deviations 26


def test_the_values_are_those_of_earlier_studies():
    """Other values would give another study."""
    names = [("0/0", 1), ("0/0", 2), ("1/0", 1)]
    texts = {name: f"7/{name[0]}/{name[1]}" for name in names}

    def digest(name):
        return hashlib.sha256(texts[name].encode()).hexdigest()

    def first(name):
        return random.Random(f"7/('{name[0]}', {name[1]})").random()

    assert ranked_by_digest(names, 7) == sorted(names, key=digest)
    assert ranked_by_generator(names, 7) == sorted(names, key=first)
    assert generator(7, "0/0", 1).random() == random.Random("7/0/0/1").random()
    wanted = np.random.default_rng([7, 2]).permutation(9)
    assert (array_generator(7, 2).permutation(9) == wanted).all()
    assert uniforms(0, "a/0", 2).tolist() == UNIFORMS


def test_seed_and_row_decide_the_numbers():
    assert (uniforms(0, "a/0", 8) == uniforms(0, "a/0", 8)).all()
    assert (uniforms(0, "a/0", 4) == uniforms(0, "a/0", 8)[:4]).all()
    assert (uniforms(0, "a/0", 8) != uniforms(0, "a/1", 8)).all()
    assert (uniforms(0, "a/0", 8) != uniforms(1, "a/0", 8)).all()
