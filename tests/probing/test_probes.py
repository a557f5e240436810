"""Probes against scikit-learn and Newton's method: rotation, ill-conditioned rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tiny_cases import noisy_cases

from probing.probes import fit_probe, fit_unrotated_probe


@pytest.mark.parametrize("cases", [40, 150])
def test_rotation_changes_no_score(cases):
    """With fewer rows than features too: equal to scikit-learn on all features."""
    features, labels, _, _ = noisy_cases(cases, width=120, strength=2.0)
    probe = fit_probe(features, labels, 0.05)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=0.05, class_weight="balanced", tol=1e-8, max_iter=5000)
    model.fit(scaler.transform(features), labels)
    unseen = noisy_cases(300, width=120, strength=2.0, seed=9)[0]
    expected = model.decision_function(scaler.transform(unseen))
    np.testing.assert_allclose(probe.scores(unseen), expected, atol=1e-4)
    unrotated = fit_unrotated_probe(features, labels, 0.05)
    np.testing.assert_allclose(probe.weight, unrotated.weight, atol=1e-6)


def stream_like_cases(cases, seed=0):
    """Rows as in a residual stream: correlated, of very unequal scales."""
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
    """Scores of Newton's method, run until the gradient is 0."""
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
    """A solver that stops at a gradient of 1e-5 is up to 0.1 log-odds off here."""
    features, labels = stream_like_cases(cases)
    expected = exact_scores(features, labels, strength)
    for fit in (fit_probe, fit_unrotated_probe):
        scores = fit(features, labels, strength).scores(features)
        np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_a_feature_that_varies_only_in_unseen_cases_does_no_harm():
    """Its deviation among the fitted cases is 0, but is rounded to more."""
    features, labels, _, _ = noisy_cases(70, width=12, strength=4.0)
    features[:, 3] = 0.1
    assert features[:, 3].std() > 0
    probe = fit_probe(features, labels, 1.0)
    assert probe.weight[3] == 0
    unseen = features[:1].copy()
    unseen[0, 3] += 1.0
    assert probe.scores(unseen)[0] == pytest.approx(probe.scores(features)[0])
