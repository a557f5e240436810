"""AUROC and accuracy against scikit-learn, and weights against repeated cases."""

from functools import partial
from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from doubletake.stats.auroc import auroc
from doubletake.stats.intervals import IntervalSettings, jackknife_interval
from doubletake.stats.jackknife import without_each_cluster
from probing.classification_metrics import accuracy, simultaneous_low


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


def drawn_auroc(draw, problems, shift, settings):
    """AUROC with its interval of dependent cases of some problems; `shift`: effect."""
    names = np.repeat(np.arange(problems), draw.geometric(0.3, size=problems) + 1)
    labels = draw.random(len(names)) < 0.4
    level = draw.normal(size=problems)[names]
    scores = shift * labels + np.sqrt(0.3) * level
    scores += np.sqrt(0.7) * draw.normal(size=len(names))
    values = without_each_cluster(
        lambda weights: auroc(scores, labels, np.zeros(len(names)), weights), names
    )
    return jackknife_interval(values, names, settings, is_share=True)


@pytest.mark.parametrize(
    ("problems", "shift", "stated"),
    [(10, 0, 97), (10, 2, 98), (30, 0, 96), (30, 2, 95)],
)
def test_intervals_hold_the_true_auroc_as_often_as_they_claim(problems, shift, stated):
    """A pair is nearly always of two problems, so scores are normal with variance 1."""
    draw = np.random.default_rng(problems)
    truth = NormalDist().cdf(shift / np.sqrt(2))
    ends = [drawn_auroc(draw, problems, shift, IntervalSettings()) for _ in range(500)]
    hits = sum(low <= truth <= high for _, low, high in ends)
    assert 100 * hits / 500 == pytest.approx(stated, abs=2.5)


def test_no_interval_of_few_problems():
    draw = np.random.default_rng(0)
    assert drawn_auroc(draw, 9, 1.0, IntervalSettings())[1:] == (None, None)
    assert drawn_auroc(draw, 9, 1.0, IntervalSettings(0.95, 5))[1] is not None


def test_the_interval_of_a_difference_is_paired_and_not_bounded():
    """Values without each problem that move together leave no error of a difference."""
    problems = np.arange(12)
    values = 0.9 + np.r_[0, np.linspace(-0.03, 0.03, 12)]
    _, low, high = jackknife_interval(
        values, problems, IntervalSettings(), is_share=False
    )
    assert low < 0.9 < 1 < high
    assert (
        jackknife_interval(values, problems, IntervalSettings(), is_share=True)[2] < 1
    )
    difference = values - (values - 0.2)
    assert jackknife_interval(difference, problems, IntervalSettings(), is_share=False)[
        1:
    ] == (
        None,
        None,
    )


PAIRS, BOUNDARIES = 60, 4


def lows_of_all(effect: float, runs: int) -> np.ndarray:
    """Low ends of (probe - control) of simulated scores: [run, boundary].

    Two first members of matched pairs a problem, and their partners in other problems.
    The scores of a control tell the classes at 1.0 standard deviations, those of the
    probes at `effect` more. Problems differ in level, and partners are alike.
    """
    rng = np.random.default_rng(1)
    labels = np.tile([True, False], PAIRS)
    firsts = np.repeat(np.arange(30), 2)
    lows = []
    for _ in range(runs):
        partners = (firsts + rng.integers(1, 30, size=PAIRS)) % 30
        problems = np.stack([firsts, partners], axis=1).ravel()
        level = rng.normal(size=30)[problems] / 2
        shared = rng.normal(size=(1 + BOUNDARIES, PAIRS)).repeat(2, axis=1) / 2
        noise = rng.normal(size=(1 + BOUNDARIES, len(labels)))
        shifts = 1 + effect * (np.arange(1 + BOUNDARIES) > 0)
        scores = level + shared + noise + labels * shifts[:, None]
        metrics = [
            without_each_cluster(partial(auroc, row, labels, problems % 2), problems)
            for row in scores
        ]
        excess = np.array(metrics[1:]) - metrics[0]
        lows.append(simultaneous_low(excess, problems, IntervalSettings(), 1, seed=0))
    return np.array(lows)


def test_the_best_of_many_equal_probes_is_seldom_above_its_control():
    claims = (lows_of_all(0.0, 500) > 0).any(1).mean()
    assert claims <= 0.045  # nominal 0.025; standard error 0.007


def test_a_probe_above_its_control_is_found():
    assert (lows_of_all(1.5, 100) > 0).any(1).mean() > 0.9


def test_more_contrasts_ask_for_more():
    values = np.random.default_rng(0).normal(size=(3, 31))
    one, four = (
        simultaneous_low(values, np.arange(30), IntervalSettings(), number, seed=0)
        for number in (1, 4)
    )
    assert (four < one).all()


def test_one_boundary_has_the_low_end_of_a_t_interval():
    means = np.random.default_rng(0).normal(size=20)
    total = means.mean()
    values = np.r_[total, (20 * total - means) / 19][None]
    low = simultaneous_low(values, np.arange(20), IntervalSettings(), 1, seed=0)
    error = means.std(ddof=1) / np.sqrt(20)
    assert low == pytest.approx(total - 2.093 * error, abs=0.1 * error)


def test_too_few_problems_have_no_low_end():
    values = np.random.default_rng(0).normal(size=(3, 10))
    lows = simultaneous_low(values, np.arange(9), IntervalSettings(), 1, seed=0)
    assert np.isnan(lows).all()
