"""Sign flips and Holm's correction: false claims at their rate, known effects found."""

from itertools import product

import numpy as np
import pytest

from doubletake.stats.sign_flips import holm, sign_p

LEVEL = 0.05
SIMULATIONS = 500


def sign_cases(rng, problems, mean=0.0):
    """Clustered and skewed changes: positions of one problem share a part."""
    owners = np.repeat(np.arange(problems), rng.integers(1, 4, size=problems))
    shared = rng.gamma(4, size=problems) - 4
    return shared[owners] + rng.normal(size=len(owners)) + mean, owners


@pytest.mark.parametrize("problems", [3, 8, 64])
def test_without_a_mean_change_the_sign_is_claimed_at_the_nominal_rate(problems):
    rng = np.random.default_rng(problems)
    p = np.array([sign_p(*sign_cases(rng, problems), rng) for _ in range(SIMULATIONS)])
    assert np.mean(p <= LEVEL) < LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / SIMULATIONS)
    assert (np.mean(p <= LEVEL) > 0) == (problems > 5)


def test_a_known_sign_is_found():
    rng = np.random.default_rng(3)
    p = [sign_p(*sign_cases(rng, 40, mean=1.5), rng) for _ in range(60)]
    assert np.mean(np.array(p) <= LEVEL) > 0.9


def test_the_sign_test_flips_whole_problems():
    values = np.array([3.0, 1.0, -2.0, 5.0, 4.0])
    problems = np.array(["a", "a", "b", "c", "d"])
    sums = np.array([4.0, -2.0, 5.0, 4.0])
    flips = np.array(list(product([-1, 1], repeat=4))) @ sums
    exact = np.mean(np.abs(flips) >= abs(sums.sum()))
    rng = np.random.default_rng(0)
    assert sign_p(values, problems, rng) == pytest.approx(exact, abs=0.02)
    assert sign_p(values, np.full(5, "a"), rng) == 1.0
    assert sign_p(np.zeros(3), np.arange(3), rng) == 1.0


def test_holm_multiplies_step_by_step():
    p = np.array([0.04, 0.01, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.09, 0.04, 0.09, 0.5])
    assert holm(np.array([])).size == 0
    assert holm(np.array([0.7, 0.9])).max() == 1.0
