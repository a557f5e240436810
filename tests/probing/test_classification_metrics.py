"""AUROC and accuracy against scikit-learn, and weights against repeated cases."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from doubletake.stats.intervals import Resampling
from probing.classification_metrics import (
    BootstrapWeights,
    accuracy,
    auroc,
    interval,
    simultaneous_low,
)


@pytest.fixture
def cases():
    rng = np.random.default_rng(3)
    labels = rng.random(90) < 0.4
    scores = np.round(labels + rng.normal(size=90), 1)  # with ties
    folds = rng.integers(3, size=90)
    return scores, labels, folds


def test_one_fold_is_the_usual_auroc(cases):
    scores, labels, _ = cases
    one = np.ones((1, 90))
    area = auroc(scores, labels, np.zeros(90), one)[0]
    assert area == pytest.approx(roc_auc_score(labels, scores))
    expected = balanced_accuracy_score(labels, scores > 0)
    assert accuracy(scores, labels, one)[0] == pytest.approx(expected)


def test_pairs_are_compared_within_folds_only(cases):
    scores, labels, folds = cases
    one = np.ones((1, 90))
    parts = [(scores[folds == k], labels[folds == k]) for k in range(3)]
    pairs = [y.sum() * (~y).sum() for _, y in parts]
    expected = np.average([roc_auc_score(y, s) for s, y in parts], weights=pairs)
    assert auroc(scores, labels, folds, one)[0] == pytest.approx(expected)
    shifted = scores + 100 * folds  # another level in each fold
    assert auroc(shifted, labels, folds, one)[0] == pytest.approx(expected)


def test_weights_are_repetitions(cases):
    scores, labels, folds = cases
    times = np.random.default_rng(0).integers(4, size=90)
    weights = times[None].astype(float)
    repeated = [np.repeat(part, times) for part in (scores, labels, folds)]
    one = np.ones((1, times.sum()))
    assert auroc(*cases, weights)[0] == pytest.approx(auroc(*repeated, one)[0])
    assert accuracy(scores, labels, weights)[0] == pytest.approx(
        accuracy(*repeated[:2], one)[0]
    )


def test_a_draw_without_pairs_has_no_value(cases):
    scores, labels, folds = cases
    weights = np.stack([np.ones(90), labels.astype(float)])
    assert np.isnan(auroc(scores, labels, folds, weights)[1])
    assert np.isnan(accuracy(scores, labels, weights)[1])


def test_draws_take_whole_problems():
    problems = np.array(["a", "b", "a", "c", "b"])
    bootstrap = BootstrapWeights.of(problems, Resampling(bootstrap=20))
    assert (bootstrap.weights[0] == 1).all()
    assert (bootstrap.weights[:, 0] == bootstrap.weights[:, 2]).all()
    drawn = bootstrap.weights[:, [0, 1, 3]].sum(1)
    assert (drawn == 3).all()


def test_intervals_hold_the_true_auroc_as_often_as_they_claim():
    """The true AUROC is 0.5; about 90% of the intervals of many samples hold it."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(150):
        labels = rng.random(120) < 0.5
        scores = rng.normal(size=120)
        bootstrap = BootstrapWeights.of(np.arange(120), Resampling(bootstrap=200))
        values = auroc(scores, labels, np.zeros(120), bootstrap.weights)
        _, low, high = interval(values, 0.9)
        hits += low <= 0.5 <= high
    assert 0.82 <= hits / 150 <= 0.97


PROBLEMS, BOUNDARIES = np.repeat(np.arange(30), 4), 4


def lows_of_all(effect: float, runs: int) -> np.ndarray:
    """Low ends of (probe - control) of simulated scores: [run, boundary].

    Two matched pairs a problem. The scores of a control tell the classes at 1.0
    standard deviations, those of the probes at `effect` more. Problems differ in level.
    """
    rng = np.random.default_rng(1)
    labels = np.tile([True, False], len(PROBLEMS) // 2)
    weights = BootstrapWeights.of(PROBLEMS, Resampling(bootstrap=200)).weights
    folds = PROBLEMS % 2
    lows = []
    for _ in range(runs):
        level = rng.normal(size=30)[PROBLEMS] / 2
        noise = rng.normal(size=(1 + BOUNDARIES, len(labels)))
        shifts = 1 + effect * (np.arange(1 + BOUNDARIES) > 0)
        scores = level + noise + labels * shifts[:, None]
        metrics = [auroc(row, labels, folds, weights) for row in scores]
        lows.append(simultaneous_low(np.array(metrics[1:]) - metrics[0], 0.95, 1))
    return np.array(lows)


def test_the_best_of_many_equal_probes_is_seldom_above_its_control():
    claims = (lows_of_all(0.0, 500) > 0).any(1).mean()
    assert claims <= 0.045  # nominal 0.025; standard error 0.007


def test_a_probe_above_its_control_is_found():
    assert (lows_of_all(1.5, 100) > 0).any(1).mean() > 0.9


def test_more_contrasts_ask_for_more():
    values = np.random.default_rng(0).normal(size=(3, 1001))
    one, four = (simultaneous_low(values, 0.95, number) for number in (1, 4))
    assert (four < one).all()
