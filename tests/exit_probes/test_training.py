"""Probes of groups against scikit-learn; calibrated scores; claims at their rate."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tiny_cases import noisy_cases

from doubletake.stats.intervals import IntervalSettings
from exit_probes.quality import Scored
from exit_probes.training import ProbePlan, chosen_strength, fit_group, why_no_probe

PLAN = ProbePlan([1e-4, 0.05, 1.0], folds=5, shuffles=3, seed=0)


def test_a_probe_is_that_of_scikit_learn_without_class_weights():
    features, labels, problems, _ = noisy_cases(200, width=12, strength=2.0)
    fitted = fit_group(features, labels, problems, PLAN)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=fitted.strength, tol=1e-8, max_iter=5000)
    model.fit(scaler.transform(features), labels)
    expected = model.decision_function(scaler.transform(features))
    np.testing.assert_allclose(fitted.probe.scores(features), expected, atol=1e-4)
    assert fitted.unfinished == 0
    assert len(fitted.shuffled) == 3


def test_the_strength_is_that_of_least_loss_on_left_out_problems():
    """Rows of a problem are alike, so a C chosen on split problems would be weak."""
    features, labels, problems, _ = noisy_cases(200, width=30, strength=3.0)
    assert chosen_strength(features - 3, labels, problems, PLAN) > 1e-4
    _, labels, problems, _ = noisy_cases(200, width=30)
    known = np.unique(problems, return_inverse=True)[1] % 2 == 0
    copies = np.random.default_rng(0).normal(size=(200, 30))
    names, index = np.unique(problems, return_inverse=True)
    copies = copies[: len(names)][index]  # the same row for all points of a problem
    assert chosen_strength(copies, known, problems, PLAN) == 1e-4


def test_scores_are_probabilities_where_wrong_points_are_rare():
    """Balanced weights would move the mean score to about a half."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 6))
    labels = rng.random(4000) < 1 / (1 + np.exp(-2.2 - features[:, 0]))
    problems = np.arange(4000).astype(str)
    probe = fit_group(features[:2000], labels[:2000], problems[:2000], PLAN).probe
    p = 1 / (1 + np.exp(-probe.scores(features[2000:])))
    assert p.mean() == pytest.approx(labels[2000:].mean(), abs=0.02)
    sure = p >= 0.85
    assert labels[2000:][sure].mean() == pytest.approx(p[sure].mean(), abs=0.02)


def test_too_few_problems_of_a_class_have_no_probe():
    problems = np.array(["a", "a", "b", "c", "d"])
    labels = np.array([True, False, False, True, True])
    assert why_no_probe(labels, problems, 2) is None
    assert why_no_probe(labels, problems, 3) == (
        "3 training problems have a right point and 2 a wrong one, and 3 of each are "
        "needed"
    )
    assert why_no_probe(labels[:0], problems[:0], 2).startswith("0 training problems")


def judged(seed, effect, per_group=30):
    """AUROC and low end of three probes, each judged on the group after its own."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(3), 3 * per_group)
    problems = np.arange(9 * per_group) // 3
    level = rng.normal(size=3 * per_group)[problems]
    labels = rng.random(len(group)) < 1 / (1 + np.exp(-1 - level))
    features = rng.normal(size=(len(group), 4))
    features += rng.normal(size=(3 * per_group, 4))[problems]
    features[:, 0] += effect * labels
    parts = []
    for number in range(3):
        own, other = group == number, group == (number + 1) % 3
        plan = ProbePlan([0.05], folds=2, shuffles=2, seed=seed)
        fitted = fit_group(features[own], labels[own], problems[own], plan)
        scores = fitted.probe.scores(features[other])
        parts.append(
            Scored(
                1 / (1 + np.exp(-scores)),
                labels[other],
                problems[other],
                np.full(other.sum(), number),
                np.array([one.scores(features[other]) for one in fitted.shuffled]),
                np.full(other.sum(), labels[own].mean()),
            )
        )
    return Scored.joined(parts).columns(IntervalSettings())


def test_without_an_effect_probes_seldom_tell_right_from_wrong():
    found = [judged(seed, 0.0) for seed in range(300)]
    claims = np.mean([row["auroc_low"] > 0.5 for row in found])
    assert claims <= 0.052  # nominal 0.025; three standard errors of 300: 0.027
    assert np.mean([row["auroc"] for row in found]) == pytest.approx(0.5, abs=0.01)


def test_an_effect_is_found_and_beats_its_controls():
    found = [judged(seed, 1.5) for seed in range(60)]
    assert np.mean([row["auroc_low"] > 0.5 for row in found]) > 0.95
    assert np.mean([row["auroc"] - row["shuffled_auroc"] for row in found]) > 0.15
    assert np.mean([row["brier"] - row["share_brier"] for row in found]) < -0.01


def test_one_class_has_no_auroc():
    ones = np.ones(4)
    scored = Scored(ones, ones > 0, np.arange(4), np.zeros(4), np.zeros((0, 4)), ones)
    assert scored.columns(IntervalSettings()) == {"tested": 4, "tested_problems": 4}
