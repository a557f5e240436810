"""Learn-then-Test: by hand, and on 1,000 simulated calibration sets."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from doubletake.stats.draws import array_generator
from exit_guarantees.guarantees import (
    RiskSettings,
    certify,
    least_problems,
    loss_p_values,
    passed_in_sequence,
)

SETS = 1000
RISK = RiskSettings(epsilon=0.05, delta=0.1)


def test_p_values_are_those_of_the_exact_binomial_test():
    for losses in (0, 3, 10):
        expected = binomtest(losses, 80, 0.05, alternative="less").pvalue
        assert loss_p_values(np.array(losses), 80, 0.05) == pytest.approx(expected)
    assert loss_p_values(np.array(0), 0, 0.05) == 1


def test_the_sequence_ends_at_the_first_that_is_not_rejected():
    p = np.array([[0.01, 0.1, 0.11, 0.01], [0.2, 0, 0, 0], [0, 0, 0, 0]])
    assert passed_in_sequence(p, 0.1).tolist() == [2, 0, 4]


def test_the_least_number_of_problems():
    # 0.95^44 = 0.1047 > 0.1, 0.95^45 = 0.0994
    assert least_problems(RISK) == 45
    assert least_problems(RiskSettings(0.5, 0.25)) == 2  # 0.5^2 = 0.25
    lost = np.zeros((44, 1), dtype=bool)
    few = certify(lost, [0.9], RISK)
    assert few.threshold is None
    assert few.sentence.startswith("Nothing can be certified: think to the end.")
    assert "44 calibration problems, and 45 are needed" in few.sentence
    assert certify(np.zeros((45, 1), dtype=bool), [0.9], RISK).threshold == 0.9


def test_no_problem_certifies_nothing():
    none = certify(np.zeros((0, 2), dtype=bool), [0.9, 0.8], RISK)
    assert (none.threshold, none.p_value) == (None, 1)


def test_what_is_certified_and_what_is_not():
    lost = np.zeros((100, 3), dtype=bool)
    lost[:1, 1] = lost[:4, 2] = True
    # P(Bin(100, .05) <= 1) = .95^100 + 100 * .05 * .95^99 = 0.0059 + 0.0312 = 0.0371
    found = certify(lost, [0.9, 0.8, 0.7], RISK)
    assert (found.threshold, found.losses) == (0.8, 1)
    assert found.p_value == pytest.approx(0.0371, abs=1e-4)
    assert found.sentence == (
        "With threshold 0.8, at most 5.0% of all problems lose their right answer, at "
        "confidence 90%: 1 of 100 calibration problems lose their right answer."
    )
    worst = certify(lost[:, ::-1], [0.9, 0.8, 0.7], RISK)
    assert worst.threshold is None
    assert worst.sentence == (
        "Nothing can be certified: think to the end. At the most careful threshold 4 "
        "of 100 calibration problems lose their right answer."
    )


def simulated(problems, risks, seed, sets=SETS):
    """Losses at thresholds of known risk: [set, problem, threshold].

    A problem has one level of difficulty, so it loses at all bolder thresholds, too.
    """
    level = array_generator(seed, 0).random((sets, problems, 1))
    return level < np.asarray(risks)


def certified(lost, risk):
    """Number of certified thresholds of each calibration set."""
    p = loss_p_values(lost.sum(1), lost.shape[1], risk.epsilon)
    return passed_in_sequence(p, risk.delta)


@pytest.mark.parametrize("problems", [50, 200, 500])
@pytest.mark.parametrize("risk", [RISK, RiskSettings(0.1, 0.05)])
def test_false_certificates_are_at_most_nominal(problems, risk):
    """A threshold above epsilon is certified in at most delta of 1,000 sets."""
    above = risk.epsilon * np.array([0.5, 0.9, 1.0001, 1.2, 2.0])
    passed = certified(simulated(problems, above, seed=problems), risk)
    false = np.mean(passed > 2)
    error = math.sqrt(risk.delta * (1 - risk.delta) / SETS)
    assert false <= risk.delta + 3 * error


def test_the_nominal_rate_is_nearly_reached_so_the_test_can_fail():
    """At a risk of epsilon itself, where the exact test's level is nearest to delta."""
    rates = [
        np.mean(certified(simulated(n, [RISK.epsilon], seed=n), RISK) > 0)
        for n in (100, 200, 400, 500)
    ]
    assert 0.05 < max(rates) <= RISK.delta + 3 * math.sqrt(0.1 * 0.9 / SETS)


def test_a_grid_without_the_sequence_would_fail():
    """Taking the boldest of many tests certifies too often: thresholds of one risk."""
    lost = array_generator(7, 0).random((SETS, 300, 20)) < 1.0001 * RISK.epsilon
    p = loss_p_values(lost.sum(1), 300, RISK.epsilon)
    assert np.mean((p <= RISK.delta).any(1)) > 0.5
    assert np.mean(passed_in_sequence(p, RISK.delta) > 0) < 0.13


def test_a_clear_score_is_certified():
    """A risk of a fifth of epsilon: nearly always with 200 problems, never with 40."""
    clear = [0.0, 0.01]
    assert np.mean(certified(simulated(200, clear, seed=1), RISK) == 2) > 0.9
    assert np.mean(certified(simulated(500, clear, seed=1), RISK) == 2) > 0.99
    assert (certified(simulated(40, clear, seed=1), RISK) == 0).all()
