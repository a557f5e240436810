"""Stability by hand, and the estimates that must not depend on the number of draws."""

import numpy as np
import polars as pl
import pytest
from tiny_resampling import boundary

from doubletake.stats.intervals import IntervalSettings
from resampling.stability import stability_table, summary_table, with_stability
from resampling.tables import RESAMPLING

INTERVALS = IntervalSettings()


def table(rows):
    return RESAMPLING.frame(rows)


def test_unstable_boundaries_by_hand():
    rows = [
        boundary(0, "backtrack", 10),
        boundary(1, "backtrack", 8),
        boundary(2, "backtrack", 7),
        boundary(3, "control", 0),
        boundary(4, "control", 2),
        boundary(5, "arrival", 3),
    ]
    found = with_stability(table(rows), 0.8)
    assert found["unstable"].to_list() == [False, False, True, False, False, True]
    assert found["any"].to_list() == [False, True, True, False, True, True]
    assert found["mixed"].to_list() == [False, True, True, False, True, True]
    assert found["differs"].to_list() == pytest.approx([0, 0.2, 0.3, 0, 0.2, 0.3])
    assert found["disagree"][2] == pytest.approx(2 * 7 * 3 / 90)


def test_a_rate_between_0_and_1_is_one_whose_interval_holds_neither():
    rows = [boundary(k, "backtrack", k) for k in range(11)]
    for row in with_stability(table(rows), 0.8).to_dicts():
        assert row["mixed"] == (row["low"] > 0 and row["high"] < 1)


def test_means_by_kind_with_their_cases():
    rows = [boundary(k, "backtrack", 5 + k % 5, planted=0.6) for k in range(12)]
    rows += [boundary(k, "arrival", 1, unfinished=1) for k in range(20, 24)]
    found = summary_table(table(rows), 0.8, INTERVALS).rows_by_key("kind", named=True)
    (turns,), (arrivals,), (whole,) = (
        found[name] for name in ("backtrack", "arrival", "all")
    )
    assert "control" not in found
    assert (turns["boundaries"], turns["problems"], turns["draws"]) == (12, 12, 120)
    expected = np.mean([(5 + k % 5) / 10 for k in range(12)])
    assert turns["rate"] == pytest.approx(expected)
    assert turns["rate_low"] < expected < turns["rate_high"]
    assert turns["differs"] == pytest.approx(1 - expected)
    assert arrivals["rate_low"] is None
    assert arrivals["unfinished"] == whole["unfinished"] == 4
    assert whole["boundaries"] == 16


def test_two_of_the_measures_do_not_depend_on_the_number_of_draws():
    rng = np.random.default_rng(0)
    found = {}
    for draws in (4, 16):
        rows = [
            boundary(k, "backtrack", int(rng.binomial(draws, 0.7)), draws)
            for k in range(3000)
        ]
        (found[draws],) = (
            with_stability(table(rows), 0.8)
            .select(pl.col("any", "differs", "disagree").mean())
            .to_dicts()
        )
    for draws in (4, 16):
        assert found[draws]["differs"] == pytest.approx(0.3, abs=0.015)
        assert found[draws]["disagree"] == pytest.approx(2 * 0.3 * 0.7, abs=0.015)
        assert found[draws]["any"] == pytest.approx(1 - 0.7**draws, abs=0.03)


def test_fewer_draws_are_expected_to_show_what_they_do_show():
    rng = np.random.default_rng(1)
    rates = rng.beta(2, 2, 2000)
    rows = [
        boundary(k, "backtrack", int(rng.binomial(8, rate)), 8)
        for k, rate in enumerate(rates)
    ]
    found = stability_table(table(rows)).filter(kind="backtrack")
    assert found["n"].to_list() == list(range(1, 9))
    for n in (1, 3, 8):
        (row,) = found.filter(n=n).to_dicts()
        assert row["any"] == pytest.approx(np.mean(1 - rates**n), abs=0.03)
        mixed = np.mean(1 - rates**n - (1 - rates) ** n)
        assert row["mixed"] == pytest.approx(mixed, abs=0.03)


def test_no_boundary_gives_empty_tables():
    assert summary_table(table([]), 0.8, INTERVALS).is_empty()
    assert stability_table(table([])).is_empty()
