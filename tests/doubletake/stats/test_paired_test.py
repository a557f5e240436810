"""The paired score test: by hand, against its likelihood, and simulated."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multinomial, norm

from doubletake.stats.holm import holm
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.paired_test import paired_p, score_z, two_sided

SETTINGS = IntervalSettings()
SIMULATIONS = 500


def z_of(n, helped, harmed, margin=0.0):
    return float(score_z(*map(np.array, (n, helped, harmed)), margin))


def test_without_a_margin_it_is_mcnemar():
    assert z_of(100, 9, 4) == pytest.approx(5 / math.sqrt(13))
    assert z_of(100, 4, 9) == pytest.approx(-5 / math.sqrt(13))
    assert z_of(100, 0, 0) == 0


def test_where_nothing_changes_the_pairs_alone_speak_against_a_loss():
    # q = m, so the variance is n m (1 - m)
    assert z_of(300, 0, 0, 0.02) == pytest.approx(math.sqrt(300 * 0.02 / 0.98))


@pytest.mark.parametrize(("helped", "harmed"), [(6, 1), (3, 2), (0, 5), (20, 30)])
def test_the_probability_of_harm_is_the_most_likely_one(helped, harmed):
    n, margin = 300, 0.02

    def surprise(q):
        shares = [q - margin, q, 1 - 2 * q + margin]
        return -multinomial.logpmf([helped, harmed, n - helped - harmed], n, shares)

    q = minimize_scalar(
        surprise, bounds=(margin + 1e-9, 0.5), method="bounded", options={"xatol": 1e-9}
    ).x
    variance = n * (2 * q - margin * (1 + margin))
    expected = (helped - harmed + n * margin) / math.sqrt(variance)
    assert z_of(n, helped, harmed, margin) == pytest.approx(expected, rel=1e-4)


def pairs(helped, harmed, same):
    right = np.repeat([True, False, True], [helped, harmed, same])
    other = np.repeat([False, True, True], [helped, harmed, same])
    return right, other


def test_copies_of_a_thought_add_nothing():
    right, other = pairs(9, 2, 40)
    problems = np.arange(51)
    one = paired_p(right, other, problems, SETTINGS)
    four = paired_p(*(np.repeat(a, 4) for a in (right, other, problems)), SETTINGS)
    assert one == pytest.approx(two_sided(z_of(51, 9, 2)))
    assert four == pytest.approx(one, rel=0.05)
    same = np.ones(51, dtype=bool)
    bound = paired_p(same, same, problems, SETTINGS, margin=0.1)
    copies = np.ones(204, dtype=bool)
    expected = paired_p(copies, copies, np.repeat(problems, 4), SETTINGS, margin=0.1)
    assert bound == pytest.approx(expected)


def test_few_problems_have_no_p_value():
    right, other = pairs(5, 0, 4)
    assert paired_p(right, other, np.arange(9), SETTINGS) is None
    assert paired_p(right, other, np.zeros(9), SETTINGS) is None


def claims(rng, *, problems, helped, harmed, margin, rules=16, copies=1):
    """Shares of simulated studies that claim more, and that claim less.

    The rules of a study depend on each other: all share half of their draws.
    """
    more = less = 0
    level = norm.isf(0.025)
    assert two_sided(level) == pytest.approx(0.05)
    for _ in range(SIMULATIONS):
        common = rng.random((problems, 1))
        own = rng.random((problems, rules))
        draw = np.where(rng.random((1, rules)) < 0.5, common, own)
        difference = np.repeat((draw < helped) * 1 - (draw > 1 - harmed), copies, 0)
        right, other = difference > 0, difference < 0
        names = np.repeat(np.arange(problems), copies)
        p = holm(
            np.array(
                [
                    paired_p(right[:, k], other[:, k], names, SETTINGS, margin=margin)
                    for k in range(rules)
                ]
            )
        )
        above = difference.mean(0) > -margin
        more += bool(((p <= 0.05) & above).any())
        less += bool(((p <= 0.05) & ~above).any())
    return more / SIMULATIONS, less / SIMULATIONS


NOISE = 3 * math.sqrt(0.05 * 0.95 / SIMULATIONS)


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("share", [0.01, 0.1])
def test_without_a_difference_studies_claim_one_at_most_at_the_rate(share, copies):
    rng = np.random.default_rng(0)
    more, less = claims(
        rng, problems=100, helped=share, harmed=share, margin=0, rules=4, copies=copies
    )
    assert more + less <= 0.05 + NOISE


@pytest.mark.parametrize(("problems", "helped"), [(100, 0.01), (300, 0.0), (300, 0.05)])
def test_a_loss_of_just_the_margin_is_called_harmless_at_most_at_the_rate(
    problems, helped
):
    rng = np.random.default_rng(1)
    harmed = helped + 0.02
    more, _ = claims(
        rng, problems=problems, helped=helped, harmed=harmed, margin=0.02, rules=4
    )
    assert more <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / SIMULATIONS)


def test_known_effects_are_found():
    rng = np.random.default_rng(2)
    more, _ = claims(rng, problems=100, helped=0.3, harmed=0.02, margin=0, rules=4)
    _, less = claims(rng, problems=100, helped=0.02, harmed=0.3, margin=0, rules=4)
    harmless, _ = claims(
        rng, problems=300, helped=0.03, harmed=0.005, margin=0.02, rules=4
    )
    assert min(more, less, harmless) > 0.9
