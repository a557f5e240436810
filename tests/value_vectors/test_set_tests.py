"""Rank and sign, corrected: false claims at their rate, known effects found."""

from itertools import product

import numpy as np
import pytest
import yaml
from checkouts import ROOT
from scipy.stats import ttest_1samp

from doubletake.stats.holm import holm
from doubletake.stats.matched_sets import matched_random_sets
from doubletake.stats.random_ranks import draws_needed, rank_p
from value_vectors.set_tests import ROUNDING, as_extreme, sign_p
from value_vectors.tables import LEVEL

SIMULATIONS = 500
UNITS, TESTS = 384, 4
DRAWS = draws_needed(40, TESTS)


def set_p_values(rng, shift=0.0):
    """P-values of the sets of extreme cosine of a simulated layer.

    Effects of units are heavy-tailed, grow with what a unit writes, and are not centred
    on 0. A few units write and do far more than all others.
    """
    p_values = []
    for _ in range(TESTS):
        sizes = rng.lognormal(sigma=1.0, size=UNITS)
        effects = sizes * (0.3 + rng.standard_t(3, size=UNITS))
        listed = rng.permutation(UNITS)[:10]
        effects[listed] += shift * sizes[listed]
        sets = matched_random_sets(sizes, listed, DRAWS, rng)
        far = as_extreme(effects[listed].sum(), effects[sets].sum(1))
        p_values.append(rank_p(far, DRAWS))
    return holm(np.array(p_values))


def test_without_an_effect_sets_are_claimed_at_the_nominal_rate():
    rng = np.random.default_rng(0)
    claims = [(set_p_values(rng) <= LEVEL).any() for _ in range(SIMULATIONS)]
    assert np.mean(claims) < LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / SIMULATIONS)
    assert np.mean(claims) > 0  # the test can claim


def test_a_fixed_set_differs_from_the_mean_of_random_sets_far_more_often():
    """What the rank replaces: an interval over positions around the mean of four."""
    rng = np.random.default_rng(1)
    claims = []
    for _ in range(100):
        unit_effects = rng.normal(size=UNITS)
        sets = np.array([rng.permutation(UNITS)[:10] for _ in range(5)])
        noise = rng.normal(size=(64, 5))
        changes = unit_effects[sets].sum(1) + noise
        excess = changes[:, 0] - changes[:, 1:].mean(1)
        claims.append(ttest_1samp(excess, 0).pvalue <= LEVEL)
    assert np.mean(claims) > 0.7


def test_a_known_effect_is_found():
    rng = np.random.default_rng(2)
    found = [(set_p_values(rng, shift=8.0) <= LEVEL).mean() for _ in range(60)]
    assert np.mean(found) > 0.9


def test_the_smallest_corrected_p_value_is_below_the_level_however_many_tests():
    for tests in (1, 4, 60):
        p = np.ones(tests)
        p[0] = rank_p(0, draws_needed(40, tests))
        assert holm(p)[0] < 1 / 40


def test_the_config_refuses_too_few_draws():
    path = ROOT / "workflow/scripts/value_vectors/value_vectors.schema.yaml"
    schema = yaml.safe_load(path.read_text())["properties"]["random_draws"]
    least = schema["minimum"]
    for tests in (1, 2, 60):
        smallest = rank_p(0, draws_needed(least, tests))
        assert holm(np.append(smallest, np.ones(tests - 1)))[0] <= LEVEL


def test_the_rank_counts_both_sides_of_the_middle_and_equal_sets():
    null = np.arange(1.0, 10.0)
    assert as_extreme(5.0, null) == 9
    assert as_extreme(20.0, null) == 0
    assert as_extreme(-20.0, null) == 0
    assert as_extreme(9.0, null) == 3  # 1, 2 and 9; the median of all ten is 5.5
    assert as_extreme(2.0, null) == 5  # 1, 2, 7, 8 and 9; the median is 4.5
    assert as_extreme(3.0 + ROUNDING / 2, np.full(8, 3.0)) == 8
    assert rank_p(0, 99) == 0.01


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
