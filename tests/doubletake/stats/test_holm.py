"""Holm's correction, by hand."""

import numpy as np

from doubletake.stats.holm import holm


def test_holm_multiplies_step_by_step():
    p = np.array([0.04, 0.01, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.09, 0.04, 0.09, 0.5])
    assert holm(np.array([])).size == 0
    assert holm(np.array([0.7, 0.9])).max() == 1.0
