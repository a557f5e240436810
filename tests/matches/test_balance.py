"""Standardised differences of covariates."""

import numpy as np
import polars as pl
import pytest

from matches.balance import balance_rows, standardised
from matches.tables import BALANCE


def test_differences_are_in_standard_deviations_before_matching():
    first, second = np.array([0.0, 2.0, 4.0]), np.array([1.0, 3.0])
    deviation = np.sqrt((8 / 3 + 1) / 2)
    assert standardised((first, second), (first[1:], second)) == pytest.approx(
        1 / deviation
    )


def test_a_difference_without_spread_has_no_size():
    ones, zeros, none = np.ones(3), np.zeros(2), np.zeros(0)
    assert standardised((ones, zeros), (ones, zeros)) is None
    assert standardised((ones, ones), (ones, ones)) == 0
    assert standardised((ones, none), (none, none)) is None


def events(since: list[int], line_start: list[bool], kinds: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "since_arrival": since,
            "arrivals_before": [1] * len(since),
            "depth": since,
            "position": since,
            "line_start": line_start,
            "token_class": list(kinds),
        }
    )


def test_every_covariate_has_a_row_with_both_differences():
    first = events([2, 4], [True, False], "ab")
    second = events([4, 8, 12], [False, False, True], "aac")
    rows = balance_rows("x", [first, second], [first[1:], second[:1]])
    table = BALANCE.frame(rows)
    since = table.row(by_predicate=pl.col("covariate") == "since_arrival", named=True)
    assert (since["first_before"], since["second_before"]) == (3, 8)
    assert (since["difference_after"], since["pairs"]) == (0, 1)
    assert since["difference_before"] == pytest.approx(-5 / np.sqrt((1 + 32 / 3) / 2))
    lines = table.row(by_predicate=pl.col("covariate") == "line_start", named=True)
    assert lines["first_before"] == 0.5
    classes = table.row(by_predicate=pl.col("covariate") == "token_class", named=True)
    shares = {"a": (0.5, 2 / 3), "b": (0.5, 0), "c": (0, 1 / 3)}
    sizes = {
        name: (p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        for name, (p, q) in shares.items()
    }
    assert classes["difference_before"] == pytest.approx(max(sizes.values(), key=abs))
    assert classes["first_before"] is None
    assert table.height == 6


def test_without_pairs_there_is_no_difference_after():
    first, second = (
        events([2, 4], [True, False], "ab"),
        events([4, 5], [False] * 2, "aa"),
    )
    table = BALANCE.frame(balance_rows("x", [first, second], [first[:0], second[:0]]))
    assert table["difference_after"].null_count() == table.height
