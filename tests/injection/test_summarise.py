"""Bins, shares, half-lives and means against closed forms."""

import numpy as np
import pytest
from tiny_injection import BOUNDARY, DEPTH, divergence, free_rows, study_rows

from doubletake.stats.intervals import IntervalSettings
from injection.decay import bins, halved, share_of_first
from injection.free_means import free_means
from injection.summarise import attended, summarise
from injection.tables import (
    INJECTION,
    INJECTION_ATTENTION,
    INJECTION_FREE_RUNS,
    RANDOM,
)

INTERVALS = IntervalSettings(0.95, 3)


def test_distances_have_their_own_bin_up_to_8_and_then_bins_that_double():
    assert bins(2) == [(0, 0), (1, 1), (2, 2)]
    singles = [(d, d) for d in range(9)]
    assert bins(24) == [*singles, (9, 16), (17, 24)]
    assert bins(40) == [*singles, (9, 16), (17, 32), (33, 40)]


@pytest.mark.parametrize("life", [0.3, 1.0, 2.5])
def test_half_life_of_an_exponential_is_its_own(life):
    curve = 3 * 0.5 ** (np.arange(9) / life)
    assert halved(curve) == pytest.approx(life)


def test_half_life_without_a_fall_is_not_given():
    assert np.isnan(halved([1.0, 0.9, 0.6]))
    assert np.isnan(halved([0.0, 0.0]))
    assert halved([1.0, 0.0]) == 1


def test_share_is_a_ratio_of_sums_and_weighs_large_changes():
    values = np.array([[9.0, 1.0], [0.5, 0.5], [0.5, 0.5]])
    share, low, high = share_of_first(values, np.array(["a", "b", "c"]), INTERVALS)
    assert share == pytest.approx(10 / 12)
    assert 0 <= low < share < high <= 1
    assert np.isnan(share_of_first(0 * values, np.array(["a", "b", "c"]), INTERVALS)[0])


def test_decay_has_means_and_the_band_of_the_random_vectors():
    rows = [divergence(k, [4.0, 2.0 + k, 1.0]) for k in range(3)]
    rows += [
        divergence(k, [1.0 + draw, 1.0, 1.0], direction=RANDOM, draw=draw)
        for k in range(3)
        for draw in range(41)
    ]
    decays, summary = summarise(INJECTION.frame(rows), INTERVALS)
    named = decays.filter(direction="ward")
    assert named["kl"].to_list() == [4.0, 3.0, 1.0]
    assert named["band_low"].null_count() == 3
    random = decays.filter(direction=RANDOM, first=0).row(0, named=True)
    assert (random["band_low"], random["band_high"]) == pytest.approx((2.0, 40.0))
    assert (random["kl"], random["n"], random["draws"]) == (21.0, 3, 41)
    row = summary.filter(direction="ward").row(0, named=True)
    assert (row["first"], row["rest"], row["share"]) == (4.0, 4.0, 0.5)
    assert row["half_life"] == pytest.approx(1 + np.log(3 / 2) / np.log(3))


def test_attention_is_compared_with_the_same_token_from_the_boundary_on():
    injection, attention = study_rows([0.9] * 3, [0.9] * 3, [0.1, 0.2, 0.3])
    table = attended(attention, injection, INTERVALS)
    assert set(table["layer"]) == {None, 1}
    assert set(table["distance"]) == {None, 1, 2}
    for row in table.to_dicts():
        assert row["difference"] == pytest.approx(0.2)
        assert row["unsteered"] == pytest.approx(0.2)
        assert row["injected"] == pytest.approx(0.4)
        assert 0 <= row["difference_low"] < 0.2 < row["difference_high"]
        assert (row["boundary"], row["depth"], row["n"]) == (BOUNDARY, DEPTH, 3)


def test_free_runs_are_compared_with_the_unsteered_ones():
    runs = free_rows([(False, True), (False, True), (True, True), (False, False)])
    row = free_means(runs, INTERVALS).row(0, named=True)
    assert (row["differ"], row["at"]) == (0.5, 2.0)
    assert (row["turned"], row["unsteered"], row["change"]) == (0.75, 0.25, 0.5)


def test_empty_tables_stay_empty():
    injection, attention = INJECTION.frame([]), INJECTION_ATTENTION.frame([])
    decays, summary = summarise(injection, INTERVALS)
    assert decays.is_empty()
    assert summary.is_empty()
    assert attended(attention, injection, INTERVALS).is_empty()
    assert free_means(INJECTION_FREE_RUNS.frame([]), INTERVALS).is_empty()
