"""Probes: planted directions, noise, splits by problem, lossless rotation."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from doubletake.stats.intervals import Resampling
from probing.discrimination import Draws, auroc, interval
from probing.probes import (
    Plan,
    _Fits,
    cross_validate,
    fit_plain_probe,
    fit_probe,
    median_strength,
    problem_folds,
    shuffled,
)

PLAN = Plan((0.001, 0.01, 0.1, 1.0), folds=4, inner_folds=3, shuffles=3, seed=0)
RESAMPLING = Resampling(bootstrap=200)


def sample(cases=400, width=24, strength=0.0, problems=80, seed=0):
    """Noise of unequal scales, plus a direction times the label."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=width)
    direction /= np.linalg.norm(direction)
    labels = rng.random(cases) < 0.4
    names = np.array([f"p{k}" for k in rng.integers(problems, size=cases)])
    features = rng.normal(size=(cases, width)) + 3.0
    features += strength * np.outer(labels, direction)
    return features, labels, names, direction


def test_a_planted_direction_is_recovered():
    features, labels, problems, direction = sample(1200, strength=5.0)
    judged = cross_validate(features, labels, problems, PLAN)
    draws = Draws.of(problems, RESAMPLING)
    found = auroc(judged.scores[0], labels, judged.folds, draws.weights)
    assert found[0] > 0.99
    probe = fit_probe(features, labels, median_strength(judged.strengths))
    cosine = probe.weight @ direction / np.linalg.norm(probe.weight)
    assert cosine > 0.95
    for row in range(1, PLAN.shuffles + 1):
        null = auroc(
            judged.scores[row], judged.labels[row], judged.folds, draws.weights[:1]
        )
        assert abs(null[0] - 0.5) < 0.1


def test_nothing_is_found_in_noise():
    """Over samples of noise: 0.5 on average, and within most intervals."""
    plan = Plan((0.001, 0.1), folds=4, inner_folds=2, shuffles=1, seed=0)
    found = []
    for seed in range(12):
        features, labels, problems, _ = sample(300, width=12, seed=seed)
        judged = cross_validate(features, labels, problems, plan)
        draws = Draws.of(problems, RESAMPLING)
        values = auroc(judged.scores[0], labels, judged.folds, draws.weights)
        found.append(interval(values, 0.95))
    assert abs(np.mean([value for value, _, _ in found]) - 0.5) < 0.04
    assert sum(low < 0.5 < high for _, low, high in found) >= 9


def test_problem_identity_gives_nothing_away():
    """Features that name the problem, which fixes the label: unseen ones are chance."""
    rng = np.random.default_rng(1)
    problems = np.repeat([f"p{k}" for k in range(60)], 6)
    by_problem = rng.random(60) < 0.5
    labels = np.repeat(by_problem, 6)
    features = np.repeat(rng.normal(size=(60, 40)), 6, axis=0)
    judged = cross_validate(features, labels, problems, PLAN)
    draws = Draws.of(problems, Resampling(bootstrap=300))
    found = auroc(judged.scores[0], labels, judged.folds, draws.weights)
    _, low, high = interval(found, 0.99)
    assert low < 0.5 < high
    split_by_row = fit_probe(features[::2], labels[::2], 1.0).scores(features[1::2])
    one = np.ones((1, len(split_by_row)))
    same_fold = np.zeros(len(split_by_row))
    assert auroc(split_by_row, labels[1::2], same_fold, one)[0] > 0.95  # what we avoid


@pytest.mark.parametrize("seed", range(5))
def test_no_problem_lies_in_two_folds_and_every_fold_has_both_classes(seed):
    rng = np.random.default_rng(seed)
    problems = np.array([f"p{k}" for k in rng.integers(30, size=90)])
    labels = rng.random(90) < 0.12
    fewest = min(len(np.unique(problems[labels == flag])) for flag in (True, False))
    count = min(5, fewest)
    folds = problem_folds(problems, labels, count, seed)
    assert set(folds) == set(range(count))
    for name in np.unique(problems):
        assert len(set(folds[problems == name])) == 1
    for fold in range(count):
        assert len(set(labels[folds == fold])) == 2


def test_fits_never_see_a_problem_that_they_score(monkeypatch):
    """Also inside: rows are tagged with their problem, fits are watched."""
    features, labels, problems, _ = sample(200, problems=25)
    numbers = np.array([float(name[1:]) for name in problems])
    trained, path, loss = [], _Fits.path, []

    class Space:
        """Leaves the features alone, so that the tag in column 0 survives."""

        def enter(self, rows):
            return rows

    monkeypatch.setattr("probing.probes._Space.of", lambda *_: Space())

    def watch(self, rows, truth, strengths):
        trained.append(set(rows[:, 0]))
        return path(self, rows, truth, strengths)

    def watch_loss(scores, truth):
        loss.append(len(truth))
        return 0.0

    monkeypatch.setattr(_Fits, "path", watch)
    monkeypatch.setattr("probing.probes.balanced_loss", watch_loss)
    features[:, 0] = numbers
    judged = cross_validate(features, labels, problems, PLAN)
    per_fold = PLAN.inner_folds + 1 + PLAN.shuffles
    assert len(trained) == PLAN.folds * per_fold
    for fold in range(PLAN.folds):
        tested = set(numbers[judged.folds == fold])
        fits = trained[fold * per_fold : (fold + 1) * per_fold]
        for seen in fits:
            assert not seen & tested
        inner = fits[: PLAN.inner_folds]
        everything = set(numbers) - tested
        held_out = [everything - seen for seen in inner]
        assert all(held_out)
        for a, first in enumerate(held_out):
            for second in held_out[a + 1 :]:
                assert not first & second
    assert len(loss) == PLAN.folds * PLAN.inner_folds * len(PLAN.strengths)


def test_too_few_problems_are_refused():
    labels = np.array([True, True, False, False, False])
    problems = np.array(["a", "a", "b", "c", "d"])
    with pytest.raises(ValueError, match="folds"):
        problem_folds(problems, labels, 2, 0)


def test_folds_depend_on_no_order():
    _, labels, problems, _ = sample(120)
    folds = problem_folds(problems, labels, 4, 0)
    order = np.random.default_rng(0).permutation(120)
    again = problem_folds(problems[order], labels[order], 4, 0)
    assert (again == folds[order]).all()


@pytest.mark.parametrize("cases", [40, 150])
def test_rotation_changes_no_score(cases):
    """Fewer rows than features: the short way equals scikit-learn on all features."""
    features, labels, _, _ = sample(cases, width=120, strength=2.0)
    probe = fit_probe(features, labels, 0.05)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=0.05, class_weight="balanced", tol=1e-8, max_iter=5000)
    model.fit(scaler.transform(features), labels)
    unseen = sample(300, width=120, strength=2.0, seed=9)[0]
    expected = model.decision_function(scaler.transform(unseen))
    np.testing.assert_allclose(probe.scores(unseen), expected, atol=1e-4)
    plain = fit_plain_probe(features, labels, 0.05)
    np.testing.assert_allclose(probe.weight, plain.weight, atol=1e-6)


def streams(cases, seed=0):
    """Rows as residual streams have them: correlated, of very unequal scales."""
    rng = np.random.default_rng(seed)
    width = 320
    mixing = rng.normal(size=(width, width)) / np.arange(1, width + 1)
    labels = rng.random(cases) < 0.2
    features = rng.normal(size=(cases, width)) @ mixing.T
    features += np.outer(labels, mixing[:, 3])
    features *= np.exp(2 * rng.normal(size=width))
    features[:, 5] = 3000 + 1000 * features[:, 5]  # a massive activation
    return features, labels


def exact_scores(features, labels, strength):
    """Newton's method until nothing moves, in the plainest terms."""
    rows = (features - features.mean(0)) / features.std(0)
    rows = np.column_stack([rows, np.ones(len(rows))])
    share = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    penalty = np.full(rows.shape[1], 1 / (strength * len(rows)))
    penalty[-1] = 0
    weight = np.zeros(rows.shape[1])
    for _ in range(50):
        odds = 1 / (1 + np.exp(-rows @ weight))
        slope = penalty * weight - rows.T @ (share * (labels - odds))
        bend = (rows.T * (share * odds * (1 - odds))) @ rows + np.diag(penalty)
        weight -= np.linalg.solve(bend, slope)
    assert np.abs(slope).max() < 1e-12
    return rows @ weight


@pytest.mark.parametrize("strength", [1e-4, 0.05, 1.0, 10.0])
@pytest.mark.parametrize("cases", [90, 600])
def test_probes_reach_the_optimum_on_ill_conditioned_rows(cases, strength):
    """A solver that stops at a gradient of 1e-5 is off by up to 0.1 log-odds here."""
    features, labels = streams(cases)
    expected = exact_scores(features, labels, strength)
    for fit in (fit_probe, fit_plain_probe):
        scores = fit(features, labels, strength).scores(features)
        np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_constant_features_do_no_harm():
    features, labels, problems, _ = sample(200, strength=4.0)
    features[:, 3] = 7.0
    judged = cross_validate(features, labels, problems, PLAN)
    assert np.isfinite(judged.scores).all()
    assert fit_probe(features, labels, 0.1).weight[3] == 0


def test_a_feature_that_varies_elsewhere_alone_does_no_harm():
    """Its deviation among the fitted cases is 0, but rounds to more."""
    features, labels, _, _ = sample(70, width=12, strength=4.0)
    features[:, 3] = 0.1
    assert features[:, 3].std() > 0
    probe = fit_probe(features, labels, 1.0)
    assert probe.weight[3] == 0
    unseen = features[:1].copy()
    unseen[0, 3] += 1.0
    assert probe.scores(unseen)[0] == pytest.approx(probe.scores(features)[0])


def test_shuffles_keep_the_classes_of_each_fold():
    _, labels, problems, _ = sample(150)
    folds = problem_folds(problems, labels, 4, 0)
    rows = shuffled(labels, folds, PLAN)
    assert (rows[0] == labels).all()
    for row in rows[1:]:
        assert (row != labels).any()
        for fold in range(4):
            assert row[folds == fold].sum() == labels[folds == fold].sum()
