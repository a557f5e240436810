"""Prediction is claimed where it is, and seldom where it is not."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from tiny_resampling import boundary, simulated

from doubletake.stats.intervals import IntervalSettings
from resampling import prediction
from resampling.prediction import prediction_table, reliability, spearman
from resampling.tables import RESAMPLING

INTERVALS = IntervalSettings()


def row_of(table, score="mass", part="within"):
    (row,) = table.filter(score=score, part=part).to_dicts()
    return row


def test_rank_correlations_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40).astype(float), rng.normal(size=40)
    assert spearman(x, y, None) == pytest.approx(spearmanr(x, y).statistic)
    kinds = np.repeat([0, 1], 20)
    shifted = x + 100 * kinds, y - 100 * kinds
    assert spearman(*shifted, kinds) == pytest.approx(spearman(x, y, kinds))
    assert spearman(*shifted, None) < -0.4
    assert np.isnan(spearman(x, np.ones(40), None))


@pytest.fixture
def fewer_rows(monkeypatch):
    """Only the rows that the page claims something of, and one more."""
    monkeypatch.setattr(prediction, "PARTS", ("all", "within"))
    monkeypatch.setattr(prediction, "SCORES", ("mass", "probe"))
    monkeypatch.setattr(prediction, "SPLITS", 10)


@pytest.mark.usefixtures("fewer_rows")
def test_without_an_effect_prediction_is_rarely_claimed():
    rng = np.random.default_rng(1)
    claims, seen_in_all = 0, 0
    studies = 80
    for _ in range(studies):
        table = prediction_table(simulated(rng, 40, 0.0), INTERVALS, 0)
        rows = [row_of(table, score) for score in ("mass", "probe")]
        claims += any(row["p_holm"] <= 0.05 for row in rows)
        seen_in_all += row_of(table, part="all")["spearman_low"] > 0
    assert claims / studies <= 0.125
    # The kinds differ in both, which is no prediction.
    assert seen_in_all / studies > 0.2


@pytest.mark.usefixtures("fewer_rows")
def test_a_known_effect_is_found_and_its_noise_removed():
    rng = np.random.default_rng(2)
    found, plain, corrected, many = 0, [], [], []
    for _ in range(12):
        row = row_of(prediction_table(simulated(rng, 120, 0.6), INTERVALS, 0))
        found += row["p_holm"] <= 0.05 and row["spearman"] > 0
        plain.append(row["spearman"])
        corrected.append(row["corrected"])
        exact = simulated(rng, 80, 0.6, draws=4000)
        many.append(
            spearman(
                *exact.select("mass", "rate").to_numpy().T, exact["kind"].to_numpy()
            )
        )
    assert found >= 11
    assert np.mean(plain) < np.mean(many) - 0.05
    assert np.mean(corrected) == pytest.approx(np.mean(many), abs=0.06)


def test_reliability_is_the_correlation_with_other_draws():
    rng = np.random.default_rng(3)
    rates = rng.beta(2, 2, 4000)
    first, second = (rng.binomial(10, rates) for _ in range(2))
    draws = np.full(4000, 10)
    expected = spearmanr(first, second).statistic
    assert reliability(first, draws, None, 0) == pytest.approx(expected, abs=0.03)


def test_detection_stands_beside_prediction():
    rows = [boundary(k, "backtrack", 5, mass=0.9 - 0.01 * k) for k in range(12)]
    rows += [boundary(k, "control", 5, mass=0.1 + 0.01 * k) for k in range(20, 32)]
    table = prediction_table(RESAMPLING.frame(rows), INTERVALS, 0)
    row = row_of(table, part="all")
    assert row["auroc"] == 1.0
    assert (row["boundaries"], row["problems"]) == (24, 24)
    assert row["spearman"] is row["p"] is row["corrected"] is None
    assert row_of(table)["auroc"] is None
    assert row_of(table, part="control")["auroc"] is None


def test_few_problems_and_absent_scores_claim_nothing():
    rng = np.random.default_rng(4)
    table = prediction_table(simulated(rng, 8, 0.9), INTERVALS, 0)
    assert row_of(table)["p_holm"] is None
    assert row_of(table)["spearman_low"] is None
    assert table.filter(score="planted").is_empty()
    assert prediction_table(RESAMPLING.frame([]), INTERVALS, 0).is_empty()
