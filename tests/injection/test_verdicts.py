"""A verdict needs intervals that exclude one half; without an effect few are given."""

import numpy as np
import pytest
from tiny_injection import FACTOR, STRENGTH, study_rows

from doubletake.stats.intervals import IntervalSettings
from injection.tables import (
    INJECTION,
    INJECTION_ATTENTION,
    NO_PREMISE,
    NOT_CHECKED,
    OPEN,
    REFUTED,
    SUPPORTED,
)
from injection.verdicts import corrected, verdict_rows

INTERVALS = IntervalSettings(0.95, 10)
NEAR = [-0.02, 0.0, 0.02, 0.01, -0.01, 0.03, -0.03, 0.0, 0.02, -0.02]
WIDE = [-0.4, 0.4, -0.3, 0.3, -0.4, 0.4, -0.3, 0.3, 0.4, -0.4]


def around(centre, spread=NEAR):
    return [centre + part for part in spread]


def judged(shares, boosted, differences=NEAR, draws=0):
    tables = study_rows(shares, boosted, differences, draws)
    (row,) = verdict_rows(*tables, STRENGTH, INTERVALS)
    return row


@pytest.mark.parametrize(
    ("share", "boosted", "verdict"),
    [
        (around(0.9), around(0.2), SUPPORTED),
        (around(0.9), around(0.9), REFUTED),
        (around(0.9), around(0.5, WIDE), OPEN),
        (around(0.2), around(0.2), NO_PREMISE),
        (around(0.5, WIDE), around(0.9), OPEN),
        (around(0.9)[:5], around(0.9)[:5], NOT_CHECKED),
    ],
)
def test_the_verdict_follows_from_both_shares(share, boosted, verdict):
    row = judged(share, boosted, NEAR[: len(share)])
    assert row["verdict"] == verdict
    assert row["factor"] == FACTOR
    assert row["share"] == pytest.approx(np.mean(share))


def test_attention_differs_only_if_its_interval_excludes_zero():
    less = judged(around(0.9), around(0.9), around(-0.1))
    assert less["difference_high"] < 0
    same = judged(around(0.9), around(0.9), NEAR)
    assert same["difference_low"] < 0 < same["difference_high"]


def test_the_rank_counts_random_vectors_that_move_as_much():
    """Later divergences are 0, 0.02, ... 0.78; that of the direction is 0.11."""
    row = judged(around(0.89), around(0.9), draws=40)
    assert (row["random_p"], row["draws"]) == ((34 + 1) / 41, 40)
    strong = judged(around(0.1), around(0.1), draws=40)
    assert strong["random_p"] == 1 / 41
    none = judged(around(0.9), around(0.9))
    assert (none["random_p"], none["draws"]) == (None, 0)


def test_intervals_are_corrected_for_their_number():
    assert corrected(INTERVALS, 10).confidence == pytest.approx(0.995)
    assert corrected(INTERVALS, 0).confidence == pytest.approx(0.95)


def test_without_an_effect_few_verdicts_are_given_and_a_known_one_is_found():
    """Shares of one half are told apart from one half in at most 5% of studies."""
    rng = np.random.default_rng(0)
    false, found = 0, 0
    for _ in range(200):
        noise = rng.normal(0, 0.1, (3, 15))
        null = judged(0.5 + noise[0], 0.5 + noise[1], noise[2] / 10)
        false += null["verdict"] != OPEN
        known = judged(0.8 + noise[0] / 2, 0.2 + noise[1] / 2, noise[2] / 10)
        found += known["verdict"] == SUPPORTED
    assert false <= 14  # binomial, 200 draws of 5%: more with probability 9%
    assert found >= 190


def test_no_context_gives_no_test():
    tables = INJECTION.frame([]), INJECTION_ATTENTION.frame([])
    assert verdict_rows(*tables, STRENGTH, INTERVALS) == []
