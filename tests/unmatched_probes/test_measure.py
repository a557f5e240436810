"""Probes of positions as they come: scores of other problems, and no false claims."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from doubletake.stats.intervals import IntervalSettings
from unmatched_probes.measure import Settings, out_of_fold_scores, probe_rows
from unmatched_probes.tables import UNMATCHED_PROBES

SETTINGS = Settings([1.0, 0.01, 0.1], 5, 0, IntervalSettings())


def drawn(rng, shift, *, problems=40, features=6):
    """Two backtracks and a wrap-up for every problem; states that may tell them."""
    cases = pl.DataFrame(
        [
            {"problem": f"{k}", "label": label}
            for k in range(problems)
            for label in (True, True, False)
        ]
    )
    states = rng.normal(size=(cases.height, features))
    states[:, 0] += shift * cases["label"].to_numpy()
    return cases, states


def test_scores_are_those_of_a_probe_of_other_problems():
    cases, states = drawn(np.random.default_rng(0), 1.0)
    labels, folds = cases["label"].to_numpy(), np.arange(cases.height) // 3 % 5
    scores = out_of_fold_scores(states, labels, folds, 0.1)
    for fold in range(5):
        out = folds == fold
        mean, scale = states[~out].mean(0), states[~out].std(0)
        weights = np.where(
            labels, 0.5 / labels[~out].sum(), 0.5 / (~labels[~out]).sum()
        )
        probe = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000)
        rows = (states - mean) / scale
        # Weights sum to the number of cases, as in scikit-learn's `balanced`.
        probe.fit(rows[~out], labels[~out], weights[~out] * (~out).sum())
        expected = probe.decision_function(rows[out])
        assert scores[out] == pytest.approx(expected, abs=1e-3)


def test_every_boundary_has_a_row_with_its_own_states():
    rng = np.random.default_rng(1)
    cases, plain = drawn(rng, 0.0)
    _, told = drawn(rng, 3.0)
    rows = probe_rows(cases, 2, lambda k: (plain, told)[k], SETTINGS)
    table = UNMATCHED_PROBES.frame(rows)
    assert table["boundary"].to_list() == [0, 1]
    assert table["auroc"][1] > 0.95 > 0.7 > table["auroc"][0]
    assert (table["cases"][0], table["backtracks"][0], table["problems"][0]) == (
        *(120, 80),
        40,
    )
    assert table["strength"].to_list() == [0.1, 0.1]


def test_the_auroc_is_the_mean_over_pairs_within_folds():
    cases, states = drawn(np.random.default_rng(2), 1.0)
    settings = Settings([0.1], 2, 0, IntervalSettings())
    (row,) = probe_rows(cases, 1, lambda _: states, settings)
    assert 0.6 < row["auroc"] < 0.9
    direct = roc_auc_score(cases["label"], states[:, 0])
    assert row["auroc"] == pytest.approx(direct, abs=0.08)
    assert row["auroc_low"] < row["auroc"] < row["auroc_high"]


def test_a_direction_is_found_and_none_is_seldom_claimed():
    """Cross-validated probes without an effect lie a little below 0.5."""
    rng = np.random.default_rng(3)
    claims = {0.0: 0, 1.5: 0}
    for shift in claims:
        for _ in range(60):
            cases, states = drawn(rng, shift)
            (row,) = probe_rows(cases, 1, lambda _, states=states: states, SETTINGS)
            claims[shift] += row["auroc_low"] > 0.5
    assert claims[0.0] / 60 <= 0.025 + 3 * (0.025 * 0.975 / 60) ** 0.5
    assert claims[1.5] == 60


@pytest.mark.parametrize("problems", [0, 1, 9])
def test_too_few_problems_have_no_probe(problems):
    cases, states = drawn(np.random.default_rng(4), 1.0, problems=max(problems, 1))
    if problems == 0:
        cases, states = cases.clear(), states[:0]
    assert probe_rows(cases, 3, lambda _: states, SETTINGS) == []
    assert UNMATCHED_PROBES.frame([]).is_empty()
