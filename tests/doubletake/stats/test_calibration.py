"""Calibration in bins of equal counts."""

import numpy as np
import pytest

from doubletake.stats.calibration import calibration_error, equal_count_bins


@pytest.mark.parametrize(("cases", "bins"), [(0, 10), (1, 10), (7, 3), (400, 10)])
def test_bins_hold_equally_many(cases, bins):
    found = equal_count_bins(cases, bins)
    assert len(found) == cases
    assert (np.diff(found) >= 0).all()
    assert set(found) <= set(range(bins))
    sizes = np.bincount(found, minlength=bins)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("cases", range(1, 12))
def test_fewer_cases_than_bins_have_a_bin_each(cases):
    found = equal_count_bins(cases, 10)
    assert sorted(set(found)) == list(range(min(cases, 10)))


def test_the_error_is_the_mean_gap_weighted_by_cases():
    confidence, accuracy = np.array([0.4, 0.8]), np.array([0.5, 0.6])
    cases = np.array([30, 10])
    expected = (30 * 0.1 + 10 * 0.2) / 40
    assert calibration_error(confidence, accuracy, cases) == pytest.approx(expected)
