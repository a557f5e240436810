"""Statistics of agreement against closed forms."""

import math

import numpy as np
import polars as pl
import pytest

from attribution.agreement import TOP, agreement, verification_figures


def cells_of(estimate, exact, group: str = "a") -> pl.DataFrame:
    count = len(estimate)
    return pl.DataFrame(
        {
            "trace": [group] * count,
            "event": [0] * count,
            "component": ["resid"] * count,
            "layer": [0] * count,
            "gradient": np.asarray(estimate, dtype=float),
            "exact": np.asarray(exact, dtype=float),
        }
    )


def test_statistics_equal_those_of_numpy():
    rng = np.random.default_rng(0)
    exact = rng.normal(size=24)
    estimate = exact + rng.normal(size=24)
    (row,) = agreement(cells_of(estimate, exact), "gradient", ["trace"]).to_dicts()
    assert row["pearson"] == pytest.approx(np.corrcoef(estimate, exact)[0, 1])
    ranks = [np.argsort(np.argsort(values)) for values in (estimate, exact)]
    assert row["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert row["sign"] == pytest.approx(np.mean(estimate * exact > 0))
    tops = [set(np.argsort(-np.abs(v))[:TOP]) for v in (estimate, exact)]
    assert row["recall"] == pytest.approx(len(tops[0] & tops[1]) / TOP)
    assert row["n"] == 24


def test_undefined_statistics_are_null():
    constant = agreement(cells_of([1, 1, 1, 1], [1, 2, 3, 4]), "gradient", ["trace"])
    assert constant["pearson"].to_list() == constant["spearman"].to_list() == [None]
    assert constant["recall"].to_list() == [None]
    two = agreement(cells_of([1, 2], [2, 1]), "gradient", ["trace"])
    assert two["pearson"].to_list() == [None]
    assert two["sign"].to_list() == [1.0]


def test_cells_without_an_estimate_are_left_out():
    some = cells_of([1, 2, 4, 3], [1, 2, 3, 4])
    none = some.with_columns(gradient=pl.lit(None, pl.Float64), trace=pl.lit("b"))
    both = agreement(pl.concat([some, none]), "gradient", ["trace"])
    assert both.equals(agreement(some, "gradient", ["trace"]))
    assert verification_figures(none, "gradient", True) == []


def test_verification_figures_are_means_over_decisions():
    rng = np.random.default_rng(1)
    groups = [cells_of(rng.normal(size=12), rng.normal(size=12), k) for k in "ab"]
    whole = pl.concat(groups)
    rows = {row.statistic: row for row in verification_figures(whole, "gradient", True)}
    single = [
        agreement(group, "gradient", ["trace"]).row(0, named=True) for group in groups
    ]
    for key, name in (("pearson", "mean Pearson correlation"), ("sign", "equal signs")):
        assert rows[name].value == pytest.approx(
            math.fsum(one[key] for one in single) / 2
        )
        assert rows[name].n == 2
    assert rows["equal signs"].check.endswith("exact patching, layer 0")


def test_no_cells_give_no_rows():
    cells = cells_of([], []).cast({"layer": pl.Int32})
    assert verification_figures(cells, "gradient", True) == []
