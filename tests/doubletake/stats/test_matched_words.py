"""Words of similar frequency, and the expected share of flags among them."""

import pytest

from doubletake.stats.matched_words import frequency_class, matched_share


def test_frequency_classes_double():
    assert [frequency_class(n) for n in (1, 2, 3, 4, 7, 8)] == [0, 1, 1, 2, 2, 3]


def test_matched_share_is_the_expectation_over_draws():
    # Top words: one of class 0, one of class 2. Remaining words: in class 0 one of
    # four follows; in class 1, the nearest to class 2, two of two follow.
    flags = [True, True, True, False, False, False, True, True]
    counts = [1, 4, 1, 1, 1, 1, 2, 3]
    assert matched_share(flags, counts, 2) == pytest.approx((1 / 4 + 1) / 2)
    assert matched_share(flags[:2], counts[:2], 2) is None
